"""What the answer of an endpoint does: checked as a client checks it, then carried out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .._answer_check import (
    DATA,
    MAX_ANSWER_BYTES,
    RESPONSE,
    TRANSITION,
    data_problems,
    end_problems,
    image_problems,
    listed,
    reserved_problems,
)
from .._dataclasses import replace
from .._endpoint_errors import AnswerProblem
from .._flow_facts import FINISH, TAKEN_OUT
from .._json import compact_json
from ._actions import enter
from ._behaviour import BEHAVIOUR
from ._events import Answer, AskEndpoint, Broken, Complete, Failure, Snackbar
from ._moves import refused_move
from ._owned import owned
from ._update import Update

# Failure -> the key that a client reports, and what to say. Source: Meta, "Flows error codes"; the key of a token that
# is refused is ours, as the client reports none.
_FAILURES: Final[Mapping[Failure, tuple[str, str]]] = {
    "not-decrypted": ("business-decryption-error", "The endpoint could not decrypt the request (421)."),
    "token-refused": ("token-refused", "The endpoint refuses the flow token (427)."),
    "timeout": ("timeout_error", "The endpoint did not answer in time."),
    "unreachable": ("no_http_response_error", "The endpoint cannot be reached."),
    "status": ("unexpected_http_status_code", "The endpoint answered with an unexpected status."),
    "unreadable": ("response-decryption-error", "The answer of the endpoint cannot be read."),
}


def as_recorded(answer: Answer) -> Answer:
    """
    The answer with a content of its own, which nobody changes later.

    Content that is no JSON, too large or nested too deeply is an answer that cannot be read.
    """
    message = answer.message if isinstance(answer.message, str) else ""
    if answer.failure:
        known = isinstance(answer.failure, str) and answer.failure in _FAILURES
        return replace(answer, content=None, message=message, failure=answer.failure if known else "unreadable")
    try:
        return replace(answer, content=owned(answer.content), message=message)
    except ValueError as exc:
        return replace(answer, content=None, failure="unreadable", message=f"The answer is no JSON: {exc}.")


def take_answer(update: Update, request: AskEndpoint, answer: Answer) -> None:
    """
    Carry out the answer to a request. What a client refuses leaves the user where they are.

    After a 427 the button of the message is disabled for good (endpoint.427).
    """
    if answer.failure:
        key, message = _FAILURES[answer.failure]
        closed = answer.failure == "token-refused"
        effect = Broken(key=key, message=answer.message or message, closed=closed)
        if closed or not update.session.history:
            update.end(effect)
        else:
            update.effects.append(effect)
        return
    problems = listed(_problems(update, request, answer.content))
    for problem in problems:
        update.broken(problem.key, problem.message, problem.path)
    if not problems:
        _carry_out(update, answer.content["screen"], answer.content["data"])


def _problems(update: Update, request: AskEndpoint, content: Any) -> Iterator[AnswerProblem]:
    """Why a client refuses an answer."""
    if not isinstance(content, dict):
        yield AnswerProblem(key=DATA, message="An answer must be an object.")
        return
    target, data = content.get("screen"), content.get("data")
    size = len(compact_json(content, ascii_only=False).encode("utf-8", "surrogatepass"))
    if size > MAX_ANSWER_BYTES:
        yield AnswerProblem(key=DATA, message=f"The answer has {size} bytes; the client takes {MAX_ANSWER_BYTES}.")
    if not isinstance(target, str):
        yield AnswerProblem(key=TRANSITION, message="An answer needs a text 'screen'.", path="/screen")
    if not isinstance(data, dict):
        yield AnswerProblem(key=DATA, message="An answer needs an object 'data'.", path="/data")
        return
    yield from reserved_problems(data)
    if target == FINISH:
        yield from end_problems(update.flow.facts, data)
    elif isinstance(target, str):
        if reason := refused_move(update.session, target, request.action):
            yield AnswerProblem(key=TRANSITION, message=reason, path="/screen")
        if target in update.flow.facts.screens:
            yield from _wrong_data(update, target, data)


def _wrong_data(update: Update, target: str, data: Mapping[str, Any]) -> Iterator[AnswerProblem]:
    """
    What is wrong with the data for a screen (data.checked, data.no-model).

    The screen that the user is on keeps what it has, and need not get it again (data.same-screen).
    """
    screen = update.flow.screens[target]
    held = update.state.data.keys() if target == update.session.screen else ()
    sent = {key: value for key, value in data.items() if key not in TAKEN_OUT}
    yield from data_problems(update.flow.facts, screen.facts, sent, held)
    yield from image_problems(screen.facts, sent)


def _carry_out(update: Update, target: str, data: Mapping[str, Any]) -> None:
    """End the Flow (complete.params, complete.unsent), or go to the screen."""
    if target == FINISH:
        response = data.get(RESPONSE)
        params = response.get("params") if isinstance(response, Mapping) else None
        update.end(Complete(payload=params or {}, sent=params is not None))
        return
    enter(update, target, {key: value for key, value in data.items() if key not in TAKEN_OUT})
    text = data.get("error_message")
    if isinstance(text, str) and text:
        short, briefly, longer = BEHAVIOUR["snackbar.seconds"].value
        snackbar = Snackbar(text, briefly if len(text) <= short else longer)
        update.change(snackbar=snackbar)
        update.effects.append(snackbar)
