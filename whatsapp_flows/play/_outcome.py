"""What an automatic walk through a Flow found: the payload, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from .._dataclasses import dataclass, field
from ._events import Event
from ._session import Session
from ._summary import SummaryRow
from ._values import Node, View

Reason = Literal[
    "no-screen",
    "unplayable",
    "no-fitting-value",
    "footer-disabled",
    "dead-end",
    "going-in-circles",
    "refused",
    "endpoint-failed",
    "too-many-steps",
]

REASONS: Final[Mapping[Reason, str]] = {
    "no-screen": "There is no screen to open.",
    "unplayable": "A part of the screen cannot be played.",
    "no-fitting-value": "No value was found that is valid for a field.",
    "footer-disabled": "The Footer stays disabled, whatever is entered.",
    "dead-end": "Nothing on the screen leads on.",
    "going-in-circles": "Everything leads to screens that were there before.",
    "refused": "A client refuses to go on.",
    "endpoint-failed": "The endpoint gave no answer that can be used.",
    "too-many-steps": "No end was found within the limit of steps.",
}
"""Why an automatic walk came to no end: every reason there is, with what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenScreen:
    """
    A screen that was passed: how it looked when it was left.

    `tapped` is the text of what was tapped to leave it; empty for a screen on which the walk ended.
    """

    view: View
    tapped: str = ""

    @property
    def id(self) -> str:
        """The id of the screen."""
        return self.view.screen

    @property
    def title(self) -> str:
        """Its title."""
        return self.view.title

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that the user reads on it, from top to bottom, the Footer last; without the title."""
        footer = () if self.view.footer is None else (self.view.footer,)
        return tuple(text for node in (*self.view.nodes, *footer) if node.shown for text in texts_of(node))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What `autoplay` found. True if the walk came to an end of the Flow.

    `completed` is the payload of the message that the Flow ends with, or None; it is empty if the Flow closes without
    a message (`sent` is then False). `summary` is what the chat shows of the answers. `reason` is why there is no end,
    one of `REASONS`, or None; `explanation` says in a sentence where and why, and `path` is the JSON pointer of that
    place, if there is one. Of several attempts that failed, it is the one that passed most screens. `screens` are those
    on the way, in order; `session` is the state in which it ended.

    The repr shows nothing that was entered or answered.
    """

    completed: Mapping[str, Any] | None = field(default=None, repr=False)
    sent: bool = False
    summary: tuple[SummaryRow, ...] = field(default=(), repr=False)
    reason: Reason | None = None
    explanation: str = ""
    path: str = ""
    screens: tuple[SeenScreen, ...] = field(default=(), repr=False)
    session: Session = field(repr=False)

    def __bool__(self) -> bool:
        return self.reason is None

    @property
    def events(self) -> tuple[Event, ...]:
        """What was done, in order: `advance` takes them one by one."""
        return self.session.events


# -- texts


_TEXT_PROPERTIES: Final = (
    "text", "title", "label", "description", "helper-text", "alt-text", "left-caption", "center-caption",
    "right-caption",
)  # fmt: skip
_LISTS: Final = ("data-source", "list-items", "images")
_PARTS: Final = ("main-content", "end", "start", "badge", "tags", "metadata")
_MAX_NESTED: Final = 4  # levels of an item of a list


def texts_of(node: Node) -> tuple[str, ...]:
    """The texts of a component that a user reads or hears, in a fixed order, and its error."""
    blocks = node.props.get("blocks")
    if blocks:
        found = [text for block in blocks for text in _block_texts(block)]
    else:
        found = _texts(node.props, _TEXT_PROPERTIES, _MAX_NESTED)
    for name in _LISTS:
        items = node.props.get(name)
        for item in items if isinstance(items, (list, tuple)) else ():
            found += _texts(item, (*_TEXT_PROPERTIES, *_PARTS), _MAX_NESTED)
    return (*found, *((node.error,) if node.error else ()))


def _block_texts(block: Mapping[str, Any]) -> Iterator[str]:
    """The texts of a block of Markdown, without its marks: one for each line, item, cell or image."""
    match block["type"]:
        case "heading" | "paragraph":
            pieces = [block["spans"]]
        case "list":
            pieces = block["items"]
        case "table":
            pieces = [cell for row in (block["header"], *block["rows"]) for cell in row]
        case _:
            yield block["alt"]
            return
    yield from ("".join(span["text"] for span in spans) for spans in pieces)


def _texts(value: Any, names: Sequence[str], levels: int) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, (list, tuple)) and levels > 0:
        return [text for each in value for text in _texts(each, names, levels - 1)]
    if isinstance(value, Mapping) and levels > 0:
        inner = [value[name] for name in names if name in value] or list(value.values())
        return [text for each in inner for text in _texts(each, names, levels - 1)]
    return []
