"""What the objects of a Flow refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ._base import Action, Component, Item, Raw, Reference
from ._expressions import Expr, Joined, Operation, Prefixed, Written


def inner_components(component: Component) -> Iterator[Any]:
    """What stands directly in a component."""
    for name in component.holds:
        found = component.properties.get(name)
        for each in found.values() if isinstance(found, Mapping) else (found,):
            yield from each if isinstance(each, (list, tuple)) else ()


def referred(component: Component) -> Iterator[Reference[Any]]:
    """The references in the properties of a component, and of the components in it."""
    for key, value in component.properties.items():
        if key not in component.holds:
            yield from referred_values(value)
    for inner in inner_components(component):
        if isinstance(inner, Component):
            yield from referred(inner)


def referred_values(value: Any) -> Iterator[Reference[Any]]:
    """The references in a value, not as a component: an input stands for its own value."""
    if isinstance(value, Reference):
        yield value
    elif isinstance(value, Expr):
        for part in _operands(value):
            yield from referred_values(part)
    elif isinstance(value, Raw | str):
        return
    elif isinstance(value, (Item, Action)):
        yield from referred_values(value.properties)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from referred_values(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from referred_values(each)


def _operands(node: Expr[Any]) -> tuple[Any, ...]:
    if isinstance(node, Operation):
        return (node.left, node.right)
    if isinstance(node, Prefixed):
        return (node.operand,)
    if isinstance(node, Joined):
        return node.parts
    return (node.expression,) if isinstance(node, Written) else ()
