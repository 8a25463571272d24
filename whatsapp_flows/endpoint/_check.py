"""
Whether the client of a Flow would refuse an answer: the routing, the data model, the images, the size.

What the client checks is observed (Meta's web client, August 2026); the shapes and the limits are documented (Meta,
"Implementing Endpoint for Flows", "Error codes"). Pure: the Flow and the answer go in, the problems come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final

from .. import flow_json
from .._endpoint_errors import AnswerProblem
from .._wire import short_repr
from ..errors import ConfigurationError
from ._answers import Answer, Close, Finish, Show, encoded
from ._facts import FINISH, TAKEN_OUT, FlowFacts, FlowSource, ScreenFacts

TRANSITION: Final = "invalid-screen-transition"
DATA: Final = "payload-schema-error"
COMPONENTS: Final = "components-validation-error"

MAX_ANSWER_BYTES: Final = 1024 * 1024
"""1 MB: all data of an answer. Source: Meta, "Image"."""
MAX_PROBLEMS: Final = 100
"""More are not listed. Our limit: an array may have a hundred thousand wrong items."""


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
    (`components-validation-error`). A Flow without a routing model has no endpoint at Meta: there, any screen of the
    Flow may follow any other. At most 100 problems are listed.

    Raises `ConfigurationError` for a Flow that cannot be read, and for an answer that is none.
    """
    facts = FlowFacts.read(flow)
    plaintext = answer.plaintext() if isinstance(answer, (Show, Finish, Close)) else answer
    if not isinstance(plaintext, Mapping):
        kind = type(answer).__name__
        raise ConfigurationError(f"answer must be a Show, Finish, Close or a mapping, not {kind}.")
    try:
        size = len(encoded(plaintext))
    except (TypeError, ValueError, RecursionError) as exc:
        return (AnswerProblem(key=DATA, message=f"The answer cannot be written as JSON: {exc}."),)
    return answer_problems(facts, from_screen, action, plaintext, size)


def answer_problems(
    facts: FlowFacts, from_screen: str | None, action: str, plaintext: Mapping[str, Any], size: int
) -> tuple[AnswerProblem, ...]:
    """`check_answer` for a plaintext that has a JSON form, of `size` bytes."""
    return tuple(islice(_problems(facts, from_screen or "", action, plaintext, size), MAX_PROBLEMS))


def _problems(
    facts: FlowFacts, from_screen: str, action: str, plaintext: Mapping[str, Any], size: int
) -> Iterator[AnswerProblem]:
    target, data = plaintext.get("screen"), plaintext.get("data")
    if size > MAX_ANSWER_BYTES:
        message = f"The answer has {size} bytes; the client takes {MAX_ANSWER_BYTES} (1 MB)."
        yield AnswerProblem(key=DATA, message=message)
    if not isinstance(target, str):
        yield AnswerProblem(key=TRANSITION, message="An answer needs a text 'screen'.", path="/screen")
    elif target != FINISH and (reason := _no_route(facts, from_screen, action, target)):
        yield AnswerProblem(key=TRANSITION, message=reason, path="/screen")
    if not isinstance(data, dict):
        yield AnswerProblem(key=DATA, message="An answer needs an object 'data'.", path="/data")
        return
    if not TAKEN_OUT.isdisjoint(data):
        yield from _reserved(data)
    screen = facts.screens.get(target) if isinstance(target, str) else None
    if screen is not None:
        if screen.plain is None or not screen.plain.fits((data,)):
            yield from _wrong_data(screen, data)
        if screen.images:
            yield from _wrong_images(screen, data)


# -- the route


def _no_route(facts: FlowFacts, from_screen: str, action: str, target: str) -> str:
    """Why the client does not go from one screen to another, or an empty text."""
    if target not in facts.screens:
        return facts.unknown_screen(target)
    if facts.routes is None:
        return ""
    if target not in facts.routes:
        return f"Screen {target!r} is no key of the routing model."
    if action == "INIT":
        return "" if target in facts.entries else f"A Flow cannot open at {target!r}: other screens lead to it."
    if not from_screen or target == from_screen or facts.leads(from_screen, target) or facts.leads(target, from_screen):
        return ""
    return f"The routing model leads neither from {short_repr(from_screen)} to {target!r} nor back."


# -- the data


def _reserved(data: Mapping[str, Any]) -> Iterator[AnswerProblem]:
    for key, kind, name in (("error_message", str, "a text"), ("extension_message_response", dict, "an object")):
        if key in data and not isinstance(data[key], kind):
            yield AnswerProblem(key=DATA, message=f"{key} must be {name}.", path=f"/data/{key}")


def _wrong_data(screen: ScreenFacts, data: Mapping[str, Any]) -> Iterator[AnswerProblem]:
    if screen.model is None:
        extra = [key for key in data if key not in TAKEN_OUT]
        if extra:
            message = f"The screen has no data model, so it takes no data: remove {', '.join(map(str, extra[:10]))}."
            yield AnswerProblem(key=DATA, message=message, path="/data")
        return
    missing = [key for key in screen.model if key not in data]
    if missing:
        message = f"The data lacks what the screen declares: {', '.join(missing)}."
        yield AnswerProblem(key=DATA, message=message, path="/data")
    for key, schema in screen.model.items():
        if key in data:
            for failure in flow_json.schema_failures(data[key], schema, (key,)):
                yield AnswerProblem(key=DATA, message=f"{failure.reason}.", path=_pointer(failure.path))


def _pointer(path: tuple[str | int, ...]) -> str:
    """The JSON pointer (RFC 6901) of a path in the data."""
    return "/data" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


# -- the images


def _wrong_images(screen: ScreenFacts, data: Mapping[str, Any]) -> Iterator[AnswerProblem]:
    counts: dict[str, int] = {}
    for place in screen.images:
        images = _texts_at(data, place.path)
        if place.counted:
            counts[place.counted] = counts.get(place.counted, 0) + len(images)
        for path, image in _pointers_at(data, place.path) if images else ():
            if reason := _wrong_image(image, place.most_bytes):
                yield AnswerProblem(key=COMPONENTS, message=f"An image of {place.component} {reason}.", path=path)
    for counted, count in counts.items():
        place = next(each for each in screen.images if each.counted == counted)
        if count > place.most_images:
            where = "a screen" if place.component == "Image" else "a carousel"
            message = f"{count} images of {place.component}: {where} may have {place.most_images}."
            yield AnswerProblem(key=COMPONENTS, message=message, path="/data")


def _texts_at(data: Mapping[str, Any], path: tuple[str | None, ...]) -> list[str]:
    """The texts at a path that are not empty; None in it stands for each item of an array."""
    found: list[Any] = [data]
    for step in path:
        if step is None:
            found = list(chain.from_iterable([each for each in found if isinstance(each, (list, tuple))]))
        else:
            found = [each[step] for each in found if isinstance(each, dict) and step in each]
    return [each for each in found if isinstance(each, str) and each]


def _pointers_at(
    value: Any, path: tuple[str | None, ...], done: tuple[str | int, ...] = ()
) -> Iterator[tuple[str, str]]:
    """The same texts, with their JSON pointers."""
    if not path:
        if isinstance(value, str) and value:
            yield _pointer(done), value
    elif path[0] is None:
        for i, each in enumerate(value) if isinstance(value, (list, tuple)) else ():
            yield from _pointers_at(each, path[1:], (*done, i))
    elif isinstance(value, dict) and path[0] in value:
        yield from _pointers_at(value[path[0]], path[1:], (*done, path[0]))


def _wrong_image(text: str, most_bytes: int) -> str:
    if text[:5].lower() == "data:":
        return "has a 'data:' prefix: send the base64 text alone"
    size = len(text) * 3 // 4 - text.endswith("=") - text.endswith("==")
    return f"has {size} bytes; it may have {most_bytes}" if size > most_bytes else ""
