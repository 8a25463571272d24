"""What the answer of an endpoint does: checked as a client checks it, then carried out."""

from __future__ import annotations

import json
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
from ._events import Answer, AskEndpoint, Broken, Complete, Failure, Snackbar
from ._moves import refused_move
from ._turn import Turn

MAX_CONTENT: Final = 10 * 1024 * 1024
"""Bytes of an answer that a session keeps. A client takes 1 MB."""
_SHORT: Final = 45
_SECONDS: Final = (4.5, 7.0)
"""How long a snackbar is shown: up to 45 characters, and more. Source: Meta's web client, 2026-08."""
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

    Content that is no JSON, or of more than 10 MB, is an answer that cannot be read.
    """
    if answer.failure:
        return replace(answer, content=None)
    try:
        text = compact_json(answer.content, ascii_only=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        return replace(answer, content=None, failure="unreadable", message=f"It cannot be written as JSON: {exc}.")
    if len(text) > MAX_CONTENT:
        return replace(answer, content=None, failure="unreadable", message=f"It has over {MAX_CONTENT} characters.")
    return replace(answer, content=json.loads(text))


def take_answer(turn: Turn, request: AskEndpoint, answer: Answer) -> None:
    """Carry out the answer to a request. What a client refuses leaves the user where they are."""
    if answer.failure:
        key, message = _FAILURES.get(answer.failure, _FAILURES["unreadable"])
        closed = answer.failure == "token-refused"
        effect = Broken(key=key, message=answer.message or message, closed=closed)
        if closed or not turn.session.history:
            turn.end(effect)
        else:
            turn.effects.append(effect)
        return
    problems = listed(_problems(turn, request, answer.content))
    for problem in problems:
        turn.broken(problem.key, problem.message, problem.path)
    if not problems:
        _carry_out(turn, answer.content["screen"], answer.content["data"])


def _problems(turn: Turn, request: AskEndpoint, content: Any) -> Iterator[AnswerProblem]:
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
        yield from end_problems(turn.flow.facts, data)
    elif isinstance(target, str):
        if reason := refused_move(turn.session, target, request.action):
            yield AnswerProblem(key=TRANSITION, message=reason, path="/screen")
        if target in turn.flow.facts.screens:
            yield from _wrong_data(turn, target, data)


def _wrong_data(turn: Turn, target: str, data: Mapping[str, Any]) -> Iterator[AnswerProblem]:
    """What is wrong with the data for a screen. The screen that the user is on keeps what it is not sent."""
    screen = turn.flow.screens[target]
    held = turn.state.data.keys() if target == turn.session.screen else ()
    sent = {key: value for key, value in data.items() if key not in TAKEN_OUT}
    yield from data_problems(turn.flow.facts, screen.facts, sent, held)
    yield from image_problems(screen.facts, sent)


def _carry_out(turn: Turn, target: str, data: Mapping[str, Any]) -> None:
    if target == FINISH:
        response = data.get(RESPONSE)
        params = response.get("params") if isinstance(response, Mapping) else None
        turn.end(Complete(payload=params or {}, sent=params is not None))
        return
    enter(turn, target, {key: value for key, value in data.items() if key not in TAKEN_OUT})
    text = data.get("error_message")
    if isinstance(text, str) and text:
        snackbar = Snackbar(text, _SECONDS[len(text) > _SHORT])
        turn.change(snackbar=snackbar)
        turn.effects.append(snackbar)
