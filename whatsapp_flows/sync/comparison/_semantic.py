"""
The differences between two Flow JSON documents, in terms of screens, components, properties and routes.

Screens are matched by id. A removed and an added screen count as renamed if their content is the same, or if they have
the same position and half of their components in common. The components of a screen are matched by name; those without
a name by content, by the beginning of their text, then by type, in order. The rest was removed or added.

Every value gets a digest, computed from its parts, so that equal values are compared once and the time is linear
(n log n where an order has changed). Nothing here raises for the content of a document: what does not have the form of
a screen or a component is compared as a property, and a document that is not a JSON object as one value.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final, TypeVar

from ...flow_json import Pointer, format_pointer
from ._difference import Difference, FlowJsonDiff, Kind, quoted_id, short, short_pair
from ._parts import Component, Screen, parsed, screens_of

T = TypeVar("T")

_ABSENT: Final = object()
_BEGINNING: Final = 12  # characters; the rest of a text may have been edited


def compare(before: bytes | None, after: bytes | None) -> FlowJsonDiff:
    """
    The changes from one Flow JSON to the other; None: there is no Flow JSON.

    Layout and the order of keys do not matter. Never raises for the content of a document.
    """
    try:
        old, new = parsed(before), parsed(after)
        return FlowJsonDiff(tuple(_Comparison().documents(old, new)))
    except RecursionError:  # nested almost as deeply as the parser allows
        whole = Difference(
            kind="changed",
            subject="document",
            property="document",
            before="(nested too deeply)",
            after="(to be compared)",
        )
        return FlowJsonDiff((whole,) if before != after else ())


class _Comparison:
    """One comparison, with the digests of all values. It keeps these alive, so that their `id` stays unique."""

    def __init__(self) -> None:
        self._digests: dict[int, bytes] = {}
        self._alive: list[Any] = []

    def documents(self, old: Any, new: Any) -> Iterator[Difference]:
        about = Difference(kind="changed", subject="document")
        if not isinstance(old, dict) or not isinstance(new, dict):
            if old != new:
                before, after = (
                    "a Flow JSON" if isinstance(each, dict) else "not a JSON object" for each in (old, new)
                )
                yield replace(about, property="document", before=before, after=after)
            return
        (old, old_screens), (new, new_screens) = screens_of(old), screens_of(new)
        if _are_routes(old.get("routing_model", {})) and _are_routes(new.get("routing_model", {})):
            yield from self._properties(_without(old, "routing_model"), _without(new, "routing_model"), about, ())
            yield from self._routes(old, new, about)
        else:
            yield from self._properties(old, new, about, ())
        yield from self._screens(old_screens, new_screens)

    def _routes(self, old: dict[str, Any], new: dict[str, Any], about: Difference) -> Iterator[Difference]:
        before, after = old.get("routing_model", {}), new.get("routing_model", {})
        found = [*_routes_between(before, after)]
        yield from found
        if not found:  # the same routes in another order, or with duplicates
            pick = [{"routing_model": each["routing_model"]} if "routing_model" in each else {} for each in (old, new)]
            yield from self._properties(pick[0], pick[1], about, ())

    # Screens

    def _screens(self, old: list[Screen], new: list[Screen]) -> Iterator[Difference]:
        partners = self._partners(old, new)
        kept = set(partners.values())
        for index, screen in enumerate(old):
            if index not in kept:
                yield self._whole_screen("removed", screen)
        moved = _out_of_order([(there, here) for there, here in partners.items()])
        for index, screen in enumerate(new):
            if index not in partners:
                yield self._whole_screen("added", screen)
                continue
            other = old[partners[index]]
            about = Difference(
                kind="changed", subject="screen", screen=screen.label, path=format_pointer(screen.pointer)
            )
            if other.id != screen.id:
                yield replace(about, kind="renamed", before=other.label, after=screen.label)
            if index in moved:
                yield replace(
                    about, kind="moved", before=format_pointer(other.pointer), after=format_pointer(screen.pointer)
                )
            skipped = ("id",) if other.id and screen.id else ()
            yield from self._properties(
                _without(other.own, *skipped), _without(screen.own, *skipped), about, screen.pointer
            )
            yield from self._components(other.components, screen.components, screen.label)

    def _partners(self, old: list[Screen], new: list[Screen]) -> dict[int, int]:
        """New screen -> old screen, by their indices."""
        partners: dict[int, int] = {}
        _match(partners, old, new, lambda screen: screen.id)
        _match(partners, old, new, lambda screen: self._digest_of(screen.value, "id"))
        places = [index for index in range(min(len(old), len(new))) if index not in partners]
        taken = set(partners.values())
        partners |= {at: at for at in places if at not in taken and self._are_similar(old[at], new[at])}
        return dict(sorted(partners.items()))

    def _are_similar(self, old: Screen, new: Screen) -> bool:
        """Whether two screens have half of their components in common."""
        known: dict[Hashable, int] = defaultdict(int)
        for component in old.components:
            known[component.name or self._digest(component.value)] += 1
        common = 0
        for component in new.components:
            key = component.name or self._digest(component.value)
            common += known[key] > 0
            known[key] -= 1
        return common > 0 and common * 2 >= max(len(old.components), len(new.components))

    @staticmethod
    def _whole_screen(kind: Kind, screen: Screen) -> Difference:
        count = len(screen.components)
        summary = f"{count} component{'' if count == 1 else 's'}"
        if isinstance(screen.value.get("title"), str):
            summary = f"{short(screen.value['title'])}, {summary}"
        whole = Difference(kind=kind, subject="screen", screen=screen.label, path=format_pointer(screen.pointer))
        return replace(whole, after=summary) if kind == "added" else replace(whole, before=summary)

    # Components

    def _components(self, old: list[Component], new: list[Component], screen: str) -> Iterator[Difference]:
        partners: dict[int, int] = {}
        _match(partners, old, new, lambda each: each.name)
        _match(partners, old, new, lambda each: None if each.name else self._digest(each.value))
        _match(partners, old, new, lambda each: None if each.name else self._digest(each.own))
        _match(partners, old, new, lambda each: None if each.name else (each.type, (each.text or "")[:_BEGINNING]))
        _match(partners, old, new, lambda each: None if each.name else each.type)
        _match(partners, old, new, lambda each: self._digest_of(each.own, "name") if each.name else None)
        kept = set(partners.values())
        about = Difference(kind="changed", subject="component", screen=screen)
        for index, component in enumerate(old):
            if index not in kept:
                yield replace(about, kind="removed", component=component.label, path=format_pointer(component.pointer))
        moved = _moved_components(old, new, partners)
        for index, component in enumerate(new):
            here = replace(about, component=component.label, path=format_pointer(component.pointer))
            if index not in partners:
                yield replace(here, kind="added")
                continue
            other = old[partners[index]]
            if index in moved:
                before, after = format_pointer(other.pointer[2:]), format_pointer(component.pointer[2:])
                yield replace(here, kind="moved", before=before, after=after)
            yield from self._properties(other.own, component.own, here, component.pointer)

    # Properties

    def _properties(
        self, old: dict[str, Any], new: dict[str, Any], about: Difference, pointer: Pointer
    ) -> Iterator[Difference]:
        """The differences between two objects, down to the values that differ."""
        waiting: deque[tuple[Pointer, Any, Any]] = deque([((), old, new)])
        while waiting:
            steps, before, after = waiting.popleft()
            if before is not _ABSENT and after is not _ABSENT and self._digest(before) == self._digest(after):
                continue
            if isinstance(before, dict) and isinstance(after, dict):
                keys = dict.fromkeys((*before, *after))
                inside = [((*steps, key), before.get(key, _ABSENT), after.get(key, _ABSENT)) for key in keys]
            elif isinstance(before, list) and isinstance(after, list):
                inside = [*self._items(steps, before, after)]
            else:
                yield replace(
                    _property(about, before, after),
                    property=format_pointer(steps),
                    path=format_pointer((*pointer, *steps)),
                )
                continue
            waiting.extendleft(reversed(inside))

    def _items(self, steps: Pointer, old: list[Any], new: list[Any]) -> Iterator[tuple[Pointer, Any, Any]]:
        """The items of two lists in pairs, without a common beginning and end."""
        shortest = min(len(old), len(new))
        first = 0
        while first < shortest and self._digest(old[first]) == self._digest(new[first]):
            first += 1
        last = 0
        while last < shortest - first and self._digest(old[-1 - last]) == self._digest(new[-1 - last]):
            last += 1
        before, after = old[first : len(old) - last], new[first : len(new) - last]
        for index in range(max(len(before), len(after))):
            yield (
                (*steps, first + index),
                before[index] if index < len(before) else _ABSENT,
                after[index] if index < len(after) else _ABSENT,
            )

    # Digests

    def _digest(self, value: Any) -> bytes:
        """The digest of a JSON value, in which `true`, 1 and 1.0 differ."""
        if not isinstance(value, (dict, list)):
            return _hash(type(value).__name__, value if isinstance(value, str) else repr(value))
        known = self._digests.get(id(value))
        if known is None:
            parts = b"".join(map(self._digest, value)) if isinstance(value, list) else self._digest_of(value)
            known = self._digests[id(value)] = _hash(type(value).__name__, parts)
            self._alive.append(value)  # so that its id is not reused
        return known

    def _digest_of(self, value: dict[str, Any], *without: str) -> bytes:
        parts = sorted((key, self._digest(inside)) for key, inside in value.items() if key not in without)
        return b"".join(_hash("key", key) + digest for key, digest in parts)


def _hash(kind: str, content: str | bytes) -> bytes:
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return blake2b(data, digest_size=16, person=kind[:16].encode()).digest()


def _match(partners: dict[int, int], old: Sequence[T], new: Sequence[T], key: Callable[[T], Hashable]) -> None:
    """Match those without a partner by key, in order. None is not a key."""
    taken = set(partners.values())
    free: dict[Hashable, deque[int]] = defaultdict(deque)
    for index, each in enumerate(old):
        if index not in taken and (found := key(each)) is not None:
            free[found].append(index)
    for index, each in enumerate(new):
        if index not in partners and free and (found := key(each)) is not None and free.get(found):
            partners[index] = free[found].popleft()


def _moved_components(old: list[Component], new: list[Component], partners: Mapping[int, int]) -> set[int]:
    """The components in another list than before, and the smallest set of moves that explains a new order."""
    moved: set[int] = set()
    lists: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    for index, there in sorted(partners.items()):
        parent = new[index].parent
        here = (partners.get(parent, -2) if parent >= 0 else -1, new[index].slot)
        if here == (old[there].parent, old[there].slot):
            lists[here].append((index, there))
        else:
            moved.add(index)
    return moved.union(*map(_out_of_order, lists.values()))


def _out_of_order(pairs: Sequence[tuple[int, int]]) -> set[int]:
    """The first values of the pairs that are not on a longest increasing run of second values."""
    ends: list[int] = []  # the smallest end of a run of each length
    chain: list[int] = []  # the pair that ends that run
    before: list[int] = []  # for each pair, the one before it on its run
    for number, (_, value) in enumerate(pairs):
        length = bisect_left(ends, value)
        before.append(chain[length - 1] if length else -1)
        ends[length : length + 1] = [value]
        chain[length : length + 1] = [number]
    run, number = set(), chain[-1] if chain else -1
    while number >= 0:
        run.add(pairs[number][0])
        number = before[number]
    return {first for first, _ in pairs} - run


def _are_routes(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(targets, list) and all(isinstance(target, str) for target in targets) for targets in value.values()
    )


def _routes_between(before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> Iterator[Difference]:
    for screen in dict.fromkeys((*before, *after)):
        old, new = before.get(screen), after.get(screen)
        about = Difference(
            kind="changed", subject="route", property=quoted_id(screen), path=format_pointer(("routing_model", screen))
        )
        if old is None and not new:
            yield replace(about, kind="added", after="nowhere")
        if new is None and not old:
            yield replace(about, kind="removed", before="nowhere")
        for target in dict.fromkeys(old or ()):
            if target not in (new or ()):
                yield replace(about, kind="removed", before=quoted_id(target))
        for target in dict.fromkeys(new or ()):
            if target not in (old or ()):
                yield replace(about, kind="added", after=quoted_id(target))


def _property(about: Difference, old: Any, new: Any) -> Difference:
    if old is _ABSENT:
        return replace(about, kind="added", after=short(new))
    if new is _ABSENT:
        return replace(about, kind="removed", before=short(old))
    before, after = short_pair(old, new)
    return replace(about, before=before, after=after)


def _without(value: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: inside for key, inside in value.items() if key not in keys}
