"""References: every place that has the name of a screen, of an input or of a field of data."""

from __future__ import annotations

from collections.abc import Iterator

from ._cursor import cursor_at
from ._hover import Target
from ._names import Index, ScreenNames
from ._rename import renamed_at
from ._tree import Object, parts


def references(index: Index, offset: int, *, declaration: bool = True) -> tuple[Target, ...]:
    """Where the name at an offset stands, in the order of the text; `declaration`: also where it is defined."""
    if not index.is_flow:
        return ()
    renamed = renamed_at(index, offset)
    if renamed is not None:
        places, defined = set(renamed.places), renamed.defined
    elif (named := _field_at(index, offset)) is not None:
        places = set(_of_field(index, *named))
        defined = frozenset({named[0].data[named[1]][0].inner})
    else:
        return ()
    return tuple(Target(*each) for each in sorted(places if declaration else places - defined))


def _field_at(index: Index, offset: int) -> tuple[ScreenNames, str] | None:
    """The screen and the field of data that is named at an offset, in a reference or where it is defined."""
    use = index.use_at(offset)
    if use is not None:
        screen = index.screen(use.screen)
        known = screen is not None and use.source == "data" and use.path[0] in screen.data
        return (screen, use.path[0]) if known and screen is not None else None
    around = index.screen_around(offset)
    scalar = cursor_at(index.root, offset).scalar
    if around is None or scalar is None:
        return None
    own = around.data.get(scalar.text)
    return (around, scalar.text) if own is not None and own[0] is scalar else None


def _of_field(index: Index, screen: ScreenNames, name: str) -> Iterator[tuple[int, int]]:
    """The field itself, references to it, and the payloads that fill it."""
    yield screen.data[name][0].inner
    for use in index.uses:
        if use.source == "data" and use.screen == screen.id and use.path[0] == name:
            yield use.name_at
    for value, _, _ in parts(index.root):
        following = value.object("next") if isinstance(value, Object) else None
        if following is not None and following.text("name") == screen.id:
            payload = value.object("payload") if isinstance(value, Object) else None
            yield from (each.key.inner for each in (payload.members if payload else ()) if each.key.text == name)
