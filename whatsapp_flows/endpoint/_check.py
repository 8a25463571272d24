"""`check_answer`: whether the client of a Flow would refuse what a handler returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from .._answer_check import DATA, RESPONSE, answer_problems, listed
from .._endpoint_errors import AnswerProblem
from .._flow_facts import FINISH, FlowFacts, FlowSource
from ..errors import ConfigurationError
from ._answers import Answer, Close, Finish, Show, encoded

_ANY_TOKEN: Final = "unused"  # noqa: S105 - an endpoint puts the token of the request there


def check_answer(
    flow: FlowSource | FlowFacts, from_screen: str | None, action: str, answer: Answer | Mapping[str, Any]
) -> tuple[AnswerProblem, ...]:
    """
    Why the client would refuse an answer to a request; empty if nothing is known against it.

    `flow` is a Flow JSON (a path, a mapping, text or bytes), or `FlowFacts`, which are read once for many answers.
    `from_screen` and `action` are those of the request: the screen may be None or empty for INIT. `answer` is a
    `Show`, `Finish` or `Close`, or the mapping that is to be encrypted.

    Checked: the shape, the screen and the route to it (`invalid-screen-transition`); the data against the screen's
    data model, and 1 MB in all (`payload-schema-error`); at most 3 images, of at most 300 kB, without a `data:` prefix
    (`components-validation-error`); of an answer that ends the Flow, the parameters and their `flow_token`, which an
    endpoint puts into a `Finish` by itself. A Flow without a routing model has no endpoint at Meta: there, any screen
    of the Flow may follow any other. At most 100 problems are listed, of at most 400 characters each.

    Raises `ConfigurationError` for a Flow that cannot be read, and for an answer that is none.
    """
    facts = FlowFacts.read(flow)
    plaintext = answer.plaintext(_ANY_TOKEN) if isinstance(answer, (Show, Finish, Close)) else answer
    if not isinstance(plaintext, Mapping):
        kind = type(answer).__name__
        raise ConfigurationError(f"answer must be a Show, Finish, Close or a mapping, not {kind}.")
    try:
        size = len(encoded(plaintext))
    except (TypeError, ValueError, RecursionError) as exc:
        return listed([AnswerProblem(key=DATA, message=f"The answer cannot be written as JSON: {exc}.")])
    found = answer_problems(facts, from_screen or "", action, plaintext, size, named=True)
    return listed(chain(found, _no_token(plaintext)))


def _no_token(plaintext: Mapping[str, Any]) -> Iterator[AnswerProblem]:
    """Whether the parameters lack the flow token, which is required (documented)."""
    found: Any = plaintext
    for step in ("data", RESPONSE, "params"):
        found = found.get(step) if isinstance(found, Mapping) else None
    if plaintext.get("screen") == FINISH and isinstance(found, Mapping) and "flow_token" not in found:
        yield AnswerProblem(key=DATA, message="params lacks flow_token.", path=f"/data/{RESPONSE}/params")
