"""Where a position is in a tree: around which containers, in a key or in a value."""

from __future__ import annotations

from typing import NamedTuple

from ._tree import Array, Container, Member, Object, Scalar, Value


class Step(NamedTuple):
    """A container around a position, and the key or the index that leads on from it; None for a key to be written."""

    container: Container
    key: str | int | None


class Cursor(NamedTuple):
    """
    A position. `steps`: the containers around it, outermost first. `in_key`: a key stands or is to be written here.

    `scalar`: the key or the value that the position is in or at an end of. `member`: of the innermost object, the
    member that it is in.
    """

    offset: int
    steps: tuple[Step, ...]
    in_key: bool
    scalar: Scalar | None = None
    member: Member | None = None

    @property
    def container(self) -> Container | None:
        """The innermost container."""
        return self.steps[-1].container if self.steps else None


def cursor_at(root: Value | None, offset: int) -> Cursor:
    """The cursor for an offset."""
    steps: list[Step] = []
    value = root
    while True:
        if isinstance(value, Object) and _within(value, offset):
            member = _member_at(value, offset)
            if member is None or _touches(member.key, offset):
                steps.append(Step(value, None))
                return Cursor(offset, tuple(steps), True, None if member is None else member.key, member)
            steps.append(Step(value, member.key.text))
            if member.value is None or not _holds(member.value, offset):
                return Cursor(offset, tuple(steps), False, None, member)
            value = member.value
        elif isinstance(value, Array) and _within(value, offset):
            before = sum(each.start < offset for each in value.items)
            index = next((i for i in (before - 1, before) if 0 <= i < len(value.items)
                          and _holds(value.items[i], offset)), None)  # fmt: skip
            steps.append(Step(value, before if index is None else index))
            if index is None:
                return Cursor(offset, tuple(steps), False)
            value = value.items[index]
        else:
            scalar = value if isinstance(value, Scalar) and _touches(value, offset) else None
            member = _owner(steps, value)
            return Cursor(offset, tuple(steps), False, scalar, member)


def _owner(steps: list[Step], value: Value | None) -> Member | None:
    container = steps[-1].container if steps else None
    if not isinstance(container, Object):
        return None
    return next((each for each in container.members if each.value is value), None)


def _touches(scalar: Scalar, offset: int) -> bool:
    return scalar.start <= offset <= scalar.end and scalar.start < scalar.end


def _within(container: Container, offset: int) -> bool:
    """Whether an offset is between the brackets."""
    return container.start < offset < container.end or (not container.closed and offset == container.end)


def _holds(value: Value, offset: int) -> bool:
    return _touches(value, offset) if isinstance(value, Scalar) else _within(value, offset)


def _member_at(value: Object, offset: int) -> Member | None:
    """The member whose key or value is here, or whose value is to be written here; None where a key may be written."""
    for member in value.members:
        if _touches(member.key, offset) or (member.value is not None and _holds(member.value, offset)):
            return member
        if member.value is not None and member.colon and member.key.end < offset <= member.value.start:
            return member
    before = [each for each in value.members if each.key.start < offset]
    last = before[-1] if before else None
    return last if last is not None and last.colon and last.value is None else None
