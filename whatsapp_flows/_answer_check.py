"""
Whether the client of a Flow would refuse an answer: the routing, the data model, the images, the size.

`answer_problems` checks an answer as a whole, as far as that is possible without knowing what the user did before. The
player knows, decides about the route by itself, and uses the checks of the parts.

What the client checks is observed (Meta's web client, August 2026); the shapes and the limits are documented (Meta,
"Implementing Endpoint for Flows", "Error codes"). Pure: the Flow and the answer go in, the problems come out.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final

from . import flow_json
from ._dataclasses import replace
from ._endpoint_errors import AnswerProblem
from ._flow_facts import FINISH, TAKEN_OUT, FlowFacts, ScreenFacts
from ._json import json_pointer
from ._wire import short_repr

TRANSITION: Final = "invalid-screen-transition"
DATA: Final = "payload-schema-error"
COMPONENTS: Final = "components-validation-error"

MAX_ANSWER_BYTES: Final = 1024 * 1024
"""1 MB: all data of an answer. Source: Meta, "Image"."""
MAX_PROBLEMS: Final = 100
"""More are not listed. Our limit: an array may have a hundred thousand wrong items."""
MAX_TEXT: Final = 400
"""Characters of a message, and of a path. Our limit: names of a Flow may have any length."""
RESPONSE: Final = "extension_message_response"


def answer_problems(
    facts: FlowFacts, from_screen: str, action: str, plaintext: Mapping[str, Any], size: int, *, named: bool
) -> tuple[AnswerProblem, ...]:
    """
    Why the client would refuse an answer that has a JSON form of `size` bytes.

    `named`: an unknown screen of the answer is named. It is not where the request has an unknown screen, a text of the
    peer's that the handler may have repeated. A request may have no flow token that the answer could carry.
    """
    found = _problems(facts, from_screen, action, plaintext, size, named=named)
    return listed(found)


def listed(problems: Iterable[AnswerProblem]) -> tuple[AnswerProblem, ...]:
    """The first of the problems, with short texts."""
    return tuple(map(_cut, islice(problems, MAX_PROBLEMS)))


def _cut(problem: AnswerProblem) -> AnswerProblem:
    """A problem whose texts are short; a path that is too long becomes that of an outer place."""
    message, path = problem.message, problem.path
    if len(message) > MAX_TEXT:
        message = f"{message[: MAX_TEXT - 3]}..."
    while len(path) > MAX_TEXT:
        path = path[: path.rindex("/")]
    return (
        problem if (message, path) == (problem.message, problem.path) else replace(problem, message=message, path=path)
    )


def _problems(
    facts: FlowFacts,
    from_screen: str,
    action: str,
    plaintext: Mapping[str, Any],
    size: int,
    *,
    named: bool,
) -> Iterator[AnswerProblem]:
    target, data = plaintext.get("screen"), plaintext.get("data")
    if size > MAX_ANSWER_BYTES:
        message = f"The answer has {size} bytes; the client takes {MAX_ANSWER_BYTES} (1 MB)."
        yield AnswerProblem(key=DATA, message=message)
    if not isinstance(target, str):
        yield AnswerProblem(key=TRANSITION, message="An answer needs a text 'screen'.", path="/screen")
    elif target != FINISH and (reason := _no_route(facts, from_screen, action, target, named)):
        yield AnswerProblem(key=TRANSITION, message=reason, path="/screen")
    if not isinstance(data, dict):
        yield AnswerProblem(key=DATA, message="An answer needs an object 'data'.", path="/data")
        return
    if not TAKEN_OUT.isdisjoint(data):
        yield from reserved_problems(data)
    if target == FINISH:
        yield from end_problems(facts, data)
        return
    screen = facts.screens.get(target) if isinstance(target, str) else None
    if screen is not None:
        if screen.plain is None or not screen.plain.fits((data,)):
            yield from data_problems(facts, screen, data)
        if screen.images:
            yield from image_problems(screen, data)


# -- the route


def _no_route(facts: FlowFacts, from_screen: str, action: str, target: str, named: bool) -> str:
    """Why the client does not go from one screen to another, or an empty text."""
    if target not in facts.screens:
        if target == from_screen:
            return "The screen of the request is not in the Flow."
        return facts.unknown_screen(target) if named else "The Flow has no such screen."
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


def reserved_problems(data: Mapping[str, Any]) -> Iterator[AnswerProblem]:
    """What is wrong with the keys that the client takes out."""
    for key, kind, name in (("error_message", str, "a text"), (RESPONSE, dict, "an object")):
        if key in data and not isinstance(data[key], kind):
            yield AnswerProblem(key=DATA, message=f"{key} must be {name}.", path=f"/data/{key}")


def end_problems(facts: FlowFacts, data: Mapping[str, Any]) -> Iterator[AnswerProblem]:
    """What is wrong with an answer that ends the Flow; without parameters, no message is sent (observed)."""
    if extra := _extra(facts, data):
        message = f"An answer that ends the Flow takes {RESPONSE} alone: remove {extra}."
        yield AnswerProblem(key=DATA, message=message, path="/data")
    response = data.get(RESPONSE)
    if not isinstance(response, dict) or "params" not in response:
        return
    params, path = response["params"], f"/data/{RESPONSE}/params"
    if not isinstance(params, dict):
        yield AnswerProblem(key=DATA, message="params must be an object.", path=path)
    elif "flow_token" in params and not isinstance(params["flow_token"], str):
        yield AnswerProblem(key=DATA, message="flow_token must be a text.", path=f"{path}/flow_token")


def data_problems(
    facts: FlowFacts, screen: ScreenFacts, data: Mapping[str, Any], held: Container[str] = ()
) -> Iterator[AnswerProblem]:
    """What is wrong with the data for a screen. `held` are the keys that the screen has already, and need not get."""
    if screen.model is None:
        if extra := _extra(facts, data):
            message = f"The screen has no data model, so it takes no data: remove {extra}."
            yield AnswerProblem(key=DATA, message=message, path="/data")
        return
    missing = [key for key in screen.model if key not in data and key not in held]
    if missing:
        message = f"The data lacks what the screen declares: {', '.join(missing)}."
        yield AnswerProblem(key=DATA, message=message, path="/data")
    undeclared = set()  # the places of objects that have keys beyond their schema; such a key may be a user's
    for key, schema in screen.model.items():
        for failure in flow_json.schema_failures(data[key], schema, (key,)) if key in data else ():
            if failure.keyword != "additionalProperties":
                yield AnswerProblem(key=DATA, message=f"{failure.reason}.", path=pointer(failure.path))
            elif (path := pointer(failure.path[:-1])) not in undeclared:
                undeclared.add(path)
                message = "The object has keys that its schema does not declare."
                yield AnswerProblem(key=DATA, message=message, path=path)


def _extra(facts: FlowFacts, data: Mapping[str, Any]) -> str:
    """
    The keys of data that takes none: those of the Flow by name, and how many others.

    The others may be those of what a user has entered: `request.show("NEXT", **request.data)`.
    """
    extra = [key for key in data if key not in TAKEN_OUT]
    own = [key for key in extra if any(key in screen.model for screen in facts.screens.values() if screen.model)]
    others = len(extra) - len(own)
    counted = [f"{others} {'key' if others == 1 else 'keys'} that no screen declares"] if others else []
    return " and ".join(filter(None, [", ".join(own), *counted]))


def pointer(path: tuple[str | int, ...]) -> str:
    """The JSON pointer (RFC 6901) of a path in the data of an answer."""
    return json_pointer(("data", *path))


# -- the images


def image_problems(screen: ScreenFacts, data: Mapping[str, Any]) -> Iterator[AnswerProblem]:
    """What is wrong with the images in the data of a screen."""
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
    found: Sequence[Any] = (data,)
    for step in path:
        found = _items_of(found) if step is None else _values_at(found, step)
        if not found:
            return []
    return [each for each in found if isinstance(each, str) and each]


def _items_of(values: Sequence[Any]) -> Sequence[Any]:
    """The items of all the arrays."""
    if len(values) == 1:
        return values[0] if isinstance(values[0], (list, tuple)) else ()
    return list(chain.from_iterable([each for each in values if isinstance(each, (list, tuple))]))


def _values_at(values: Sequence[Any], name: str) -> list[Any]:
    """The value of a name in each of the objects that have it."""
    try:  # most often, all are objects
        return [each[name] for each in values if name in each]
    except TypeError:
        return [each[name] for each in values if isinstance(each, dict) and name in each]


def _pointers_at(
    value: Any, path: tuple[str | None, ...], done: tuple[str | int, ...] = ()
) -> Iterator[tuple[str, str]]:
    """The same texts, with their JSON pointers."""
    if not path:
        if isinstance(value, str) and value:
            yield pointer(done), value
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
