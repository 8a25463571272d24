"""
The part of JSON schema (draft 7) that data models use, to check an `__example__` and an endpoint's answer with.

Other keywords are ignored, among them `pattern` and `format`, whose dialects differ.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeGuard

from ..language import has_type, type_of_value
from ..text import Pointer

MAX_SCHEMA_DEPTH: Final = 100
"""Deeper values are not checked. Our limit: no example is so deep, and a check must not run out of stack."""


class Failure(NamedTuple):
    """A keyword that a value does not satisfy, the reason as the rest of a sentence, and the path to the value."""

    keyword: str
    reason: str
    path: Pointer = ()


_Enums = dict[int, frozenset[Hashable]]
"""The values of each enum, by the identity of its list, so that a long list is read once."""


def schema_failures(
    value: Any, schema: Any, path: Pointer = (), depth: int = 0, enums: _Enums | None = None
) -> Iterator[Failure]:
    """What is wrong with a value, outermost first. `path` names it in the reasons. A tuple is an array."""
    enums = {} if enums is None else enums
    if schema is False:
        yield Failure("not", f"{_named(path)} must not be there", path)
    if not isinstance(schema, dict) or depth > MAX_SCHEMA_DEPTH:
        return
    for keyword, wanted in schema.items():
        check = _CHECKS.get(keyword)
        if keyword == "enum":
            if not _in_enum(value, wanted, enums):
                yield Failure(keyword, f"{_named(path)} is not one of the values that enum lists", path)
        elif check is not None and (reason := check(value, wanted)):
            yield Failure(keyword, f"{_named(path)} {reason}", path)
    if isinstance(value, dict):
        yield from _in_object(value, schema, path, depth, enums)
    elif isinstance(value, (list, tuple)) and "items" in schema:
        items = schema["items"]
        for i, item in enumerate(value):
            yield from schema_failures(item, items, (*path, i), depth + 1, enums)


_PLAIN_KEYWORDS: Final = frozenset({"type", "properties", "required", "items", "__example__"})
_EXACT_TYPES: Final[Mapping[str, frozenset[type]]] = {
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "object": frozenset({dict}),
    "array": frozenset({list, tuple}),
}


class PlainSchema(NamedTuple):
    """
    A schema of nothing but types and parts, read once for many values: see `plain_schema`.

    A property is its name, its types, its schema unless the types say all, and whether it is required. `required` are
    the names that are required without being properties.
    """

    types: frozenset[type]
    items: PlainSchema | None = None
    required: frozenset[str] = frozenset()
    properties: tuple[tuple[str, frozenset[type], PlainSchema | None, bool], ...] = ()

    def fits(self, values: Sequence[Any]) -> bool:
        """
        Whether all the values satisfy the schema; False is not certain, as 5.0 is an integer.

        Goes through the schema once for all values: for a long array, this takes a fraction of `schema_failures`.
        """
        own, items, required, properties = self
        if not own.issuperset(map(type, values)):
            return False
        if items is not None:
            return items.fits(values[0] if len(values) == 1 else list(chain.from_iterable(values)))
        if required and not all(map(required.issubset, values)):
            return False
        for name, types, schema, is_required in properties:
            column: Iterable[Any] = map(itemgetter(name), values)
            try:
                fits = types.issuperset(map(type, column)) if schema is None else schema.fits(list(column))
            except KeyError:  # some of the values do not have it
                if is_required:
                    return False
                column = [value[name] for value in values if name in value]
                fits = types.issuperset(map(type, column)) if schema is None else schema.fits(column)
            if not fits:
                return False
        return True


def plain_schema(schema: Any, depth: int = 0) -> PlainSchema | None:
    """A schema as `PlainSchema`; None if it has more than types and parts, or is none."""
    if type(schema) is not dict or depth > MAX_SCHEMA_DEPTH or not _PLAIN_KEYWORDS.issuperset(schema):
        return None
    kind = schema.get("type")
    types = _EXACT_TYPES.get(kind) if type(kind) is str else None
    if types is None:
        return None
    if kind == "array" and "items" in schema:
        items = plain_schema(schema["items"], depth + 1)
        return None if items is None else PlainSchema(types, items)
    if kind == "object":
        properties, required = schema.get("properties", {}), schema.get("required", [])
        if type(properties) is not dict or type(required) is not list or not all(type(it) is str for it in required):
            return None
        inner = {name: plain_schema(each, depth + 1) for name, each in properties.items()}
        known = tuple(
            (name, each.types, each if any(each[1:]) else None, name in required)
            for name, each in inner.items()
            if each
        )
        others = frozenset(required).difference(inner)
        return PlainSchema(types, None, others, known) if len(known) == len(inner) else None
    return PlainSchema(types)


def _named(path: Pointer) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".") or "it"


def _in_object(
    value: Mapping[str, Any], schema: Mapping[str, Any], path: Pointer, depth: int, enums: _Enums
) -> Iterator[Failure]:
    properties = schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    closed = schema.get("additionalProperties") is False
    for key, held in value.items():  # not over `known`, which may be large while there are many small values
        if key in known:
            yield from schema_failures(held, known[key], (*path, key), depth + 1, enums)
        elif closed:
            yield Failure("additionalProperties", f"{_named(path)} may not have {key!r}", (*path, key))


def _in_enum(value: Any, wanted: Any, enums: _Enums) -> bool:
    if not isinstance(wanted, list):
        return True
    if id(wanted) not in enums:
        enums[id(wanted)] = frozenset(map(_comparable, wanted))
    return _comparable(value) in enums[id(wanted)]


def _comparable(value: Any, depth: int = 0) -> Hashable:
    """A hashable key: two keys are equal where `json_equal` holds for their values."""
    if isinstance(value, dict):
        inner = (
            () if depth >= MAX_SCHEMA_DEPTH else ((key, _comparable(held, depth + 1)) for key, held in value.items())
        )
        return dict, frozenset(inner)
    if isinstance(value, (list, tuple)):
        return list, () if depth >= MAX_SCHEMA_DEPTH else tuple(_comparable(held, depth + 1) for held in value)
    return isinstance(value, bool), value


def json_equal(left: Any, right: Any, depth: int = 0) -> bool:
    """Equality of JSON values: true is not 1, but 1.0 is. Values nested too deeply count as equal."""
    if depth > MAX_SCHEMA_DEPTH:
        return True
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(json_equal(left[key], right[key], depth + 1) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(
            json_equal(one, other, depth + 1) for one, other in zip(left, right, strict=True)
        )
    return bool(left == right)


def _type(value: Any, wanted: Any) -> str:
    names = wanted if isinstance(wanted, list) else [wanted]
    if any(not isinstance(name, str) or has_type(value, name) for name in names):
        return ""
    return f"is of type {type_of_value(value)}, not {' or '.join(names)}"


def _const(value: Any, wanted: Any) -> str:
    return "" if json_equal(value, wanted) else "is not the value of const"


def _required(value: Any, wanted: Any) -> str:
    if not isinstance(value, dict) or not isinstance(wanted, list):
        return ""
    missing = [key for key in wanted if isinstance(key, str) and key not in value]
    return f"lacks {', '.join(missing)}" if missing else ""


def _at_least(of: Callable[[Any], float | None], what: str) -> Callable[[Any, Any], str]:
    def check(value: Any, wanted: Any) -> str:
        found, least = of(value), _number(wanted)
        return "" if found is None or least is None or found >= least else f"has {what} under {wanted}"

    return check


def _at_most(of: Callable[[Any], float | None], what: str) -> Callable[[Any, Any], str]:
    def check(value: Any, wanted: Any) -> str:
        found, most = of(value), _number(wanted)
        return "" if found is None or most is None or found <= most else f"has {what} over {wanted}"

    return check


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number in JSON, where true is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any) -> float | None:
    return value if is_number(value) else None


def _length(value: Any) -> float | None:
    return len(value) if isinstance(value, str) else None


def _items(value: Any) -> float | None:
    return len(value) if isinstance(value, (list, tuple)) else None


_CHECKS: Final[Mapping[str, Callable[[Any, Any], str]]] = {
    "type": _type,
    "const": _const,
    "required": _required,
    "minimum": _at_least(_number, "a value"),
    "maximum": _at_most(_number, "a value"),
    "minLength": _at_least(_length, "a length"),
    "maxLength": _at_most(_length, "a length"),
    "minItems": _at_least(_items, "a count"),
    "maxItems": _at_most(_items, "a count"),
}
