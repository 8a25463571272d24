"""
A screen of a played Flow as lines of text, from top to bottom: what stands on it, and what was entered.

    Book a table
    Name: Ada
    Seating
      (x) Inside
      ( ) Outside
    [x] I agree to the terms
    [ Continue ]

All texts come from a document, and are made inert.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rich.text import Text

from .._inert import inert

if TYPE_CHECKING:
    from ..play import Node, View

MAX_OPTIONS: Final = 20
"""Options of one component that are listed; a Dropdown may have 200."""
_EMPTY: Final = "-"


class Line(NamedTuple):
    """
    A line of a screen. `path` is that of the component, where the line stands for one that can be used; `item` is the
    id of the option or of the item that it stands for.
    """

    text: Text
    level: int = 0
    path: str = ""
    item: str = ""


def screen_lines(view: View) -> Iterator[Line]:
    """What the user sees below the title, the Footer last."""
    for node in view.nodes:
        if node.shown:
            yield from _component(node)
    if view.footer is not None and view.footer.shown:
        yield from _component(view.footer)
    yield from (Line(_note(issue.text)) for issue in view.issues)
    if view.snackbar is not None:
        yield Line(Text(inert(view.snackbar.text), style="reverse"))


def heading(view: View) -> Text:
    """`WELCOME  Book a table`."""
    return Text.assemble((inert(view.screen), "bold cyan"), "  ", (inert(view.title), "bold"))


def indented(text: Text, level: int) -> Text:
    """A line, two blanks further to the right for each level."""
    return Text.assemble("  " * level, text)


def _component(node: Node) -> Iterator[Line]:
    yield from _KINDS.get(node.kind, _other)(node)
    if node.error:
        yield Line(Text(f"! {inert(node.error)}", style="red"), 1)
    yield from (Line(_note(issue.text), 1) for issue in node.issues)


def _note(text: str) -> Text:
    return Text(f"note: {inert(text)}", style="dim")


def _prop(node: Node, name: str) -> str:
    value = node.props.get(name)
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, (str, int, float)):
        return inert(str(value))
    return ", ".join(inert(str(each)) for each in value if each) if isinstance(value, (list, tuple)) else ""


# -- texts and images


def _plain(node: Node) -> Iterator[Line]:
    style = {"TextHeading": "bold", "TextSubheading": "bold", "TextCaption": "dim"}.get(node.kind, "")
    blocks = node.props.get("blocks")
    if blocks:
        yield from (Line(line, path="") for block in blocks for line in _block(block, style))
        return
    text = node.props.get("text")
    for each in text if isinstance(text, (list, tuple)) else str(text or "").split("\n"):
        yield Line(Text(inert(str(each)), style=style))


def _block(block: Mapping[str, Any], style: str) -> Iterator[Text]:
    match block["type"]:
        case "heading":
            yield from _spans(block["spans"], "bold")
        case "paragraph":
            yield from _spans(block["spans"], style)
        case "list":
            for number, item in enumerate(block["items"], block["start"]):
                mark = f"{number}. " if block["ordered"] else "- "
                yield from (Text.assemble(mark, line) for line in _spans(item, style))
        case "table":
            for row, looks in ((block["header"], "bold"), *((row, style) for row in block["rows"])):
                yield Text(" | ").join(Text(" ").join(_spans(cell, looks)) for cell in row)
        case "image":
            yield _image(block["alt"])


def _spans(spans: Sequence[Mapping[str, Any]], style: str) -> Iterator[Text]:
    """The lines of a text with styles; an address follows its link."""
    line = Text()
    for span in spans:
        looks = " ".join(name for name in ("bold", "italic", "strike") if span[name]) or style
        for number, piece in enumerate(span["text"].split("\n")):
            if number:
                yield line
                line = Text()
            line.append(inert(piece), style=looks)
        if span["href"] and span["href"] != span["text"]:
            line.append(f" ({inert(span['href'])})", style="dim")
    yield line


def _image(alt: str) -> Text:
    return Text(f"(image{': ' if alt else ''}{inert(alt)})", style="dim")


def _picture(node: Node) -> Iterator[Line]:
    yield Line(_image(str(node.props.get("alt-text") or "")))


def _carousel(node: Node) -> Iterator[Line]:
    for item in _items(node, "images"):
        yield Line(_image(str(item.get("alt-text") or "")))


# -- fields


def _field(node: Node) -> Iterator[Line]:
    label = node.props.get("label")
    if isinstance(label, Mapping):  # of a CalendarPicker in range mode
        label = " / ".join(inert(str(each)) for each in label.values())
    value = Text(_value(node.value) or _EMPTY, style="" if node.enabled else "dim")
    yield Line(Text.assemble(inert(str(label or node.name)), _optional(node), ": ", value), path=_used(node))
    helper = node.props.get("helper-text")
    if isinstance(helper, str) and helper and not node.error:
        yield Line(Text(inert(helper), style="dim"), 1)


def _optional(node: Node) -> tuple[str, str]:
    required = node.props.get("required")
    needed = any(required.values()) if isinstance(required, Mapping) else required is True
    return ("" if needed else " (optional)", "dim")


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return " to ".join(inert(str(each)) for each in value.values())
    if isinstance(value, (tuple, list)):
        return ", ".join(inert(str(getattr(each, "name", each))) for each in value)
    return inert(str(value)) if value else ""


def _picker(node: Node) -> Iterator[Line]:
    yield Line(
        Text.assemble(_prop(node, "label") or inert(node.name), ": ", _value(node.value) or _EMPTY), path=_used(node)
    )
    if description := _prop(node, "description"):
        yield Line(Text(description, style="dim"), 1)


def _choice(node: Node) -> Iterator[Line]:
    yield Line(Text.assemble(_prop(node, "label") or inert(node.name), _optional(node)), path=_used(node))
    if description := _prop(node, "description"):
        yield Line(Text(description, style="dim"), 1)
    signs = "( )", "(x)"
    if node.kind in {"CheckboxGroup", "ChipsSelector"}:
        signs = "[ ]", "[x]"
    items = list(_items(node, "data-source"))
    listed = [item for item in items if item.get("selected") is True or item in items[:MAX_OPTIONS]]
    for item in listed:
        usable = node.enabled and item.get("enabled") is not False
        mark = signs[item.get("selected") is True]
        beside = inert(str(item.get("metadata") or ""))
        text = Text.assemble(f"{mark} {inert(str(item.get('title', '')))}", (f"  {beside}" if beside else "", "dim"))
        text.stylize("" if usable else "dim")
        yield Line(text, 1, node.path if usable else "", str(item.get("id", "")))
        if item.get("description"):
            yield Line(Text(inert(str(item["description"])), style="dim"), 3)
    if len(items) > len(listed):
        yield Line(Text(f"and {len(items) - len(listed)} more", style="dim"), 1)


def _opt_in(node: Node) -> Iterator[Line]:
    mark = "[x]" if node.value is True else "[ ]"
    yield Line(Text.assemble(f"{mark} {_prop(node, 'label')}", _optional(node)), path=_used(node))


# -- what is tapped


def _navigation(node: Node) -> Iterator[Line]:
    if label := _prop(node, "label"):
        yield Line(Text(label, style="bold"))
    if description := _prop(node, "description"):
        yield Line(Text(description, style="dim"), 1)
    for item in _items(node, "list-items"):
        main, end = (_mapping(item.get(key)) for key in ("main-content", "end"))
        beside = " ".join(inert(str(each)) for each in (*end.values(), item.get("badge"), *_tags(item)) if each)
        text = Text.assemble(f"> {inert(str(main.get('title', '')))}", (f"  {beside}" if beside else "", "dim"))
        yield Line(text, 1, _used(node), str(item.get("id", "")))
        for each in (main.get("description"), main.get("metadata")):
            if each:
                yield Line(Text(inert(str(each)), style="dim"), 2)


def _tags(item: Mapping[str, Any]) -> tuple[Any, ...]:
    tags = item.get("tags")
    return tuple(tags) if isinstance(tags, (list, tuple)) else ()


def _link(node: Node) -> Iterator[Line]:
    yield Line(Text(f"> {_prop(node, 'text')}", style="underline" if node.enabled else "dim"), path=_used(node))


def _footer(node: Node) -> Iterator[Line]:
    captions = [_prop(node, name) for name in ("left-caption", "center-caption", "right-caption")]
    if any(captions):
        yield Line(Text(" | ".join(filter(None, captions)), style="dim"))
    style = "bold" if node.enabled else "dim"
    yield Line(
        Text(f"[ {_prop(node, 'label')} ]{'' if node.enabled else ' (disabled)'}", style=style), path=_used(node)
    )


def _other(node: Node) -> Iterator[Line]:
    yield Line(Text(f"({inert(node.kind) or 'no component'})", style="dim"))


def _used(node: Node) -> str:
    return node.path if node.enabled else ""


def _items(node: Node, name: str) -> Iterator[Mapping[str, Any]]:
    found = node.props.get(name)
    for item in found if isinstance(found, (list, tuple)) else ():
        if isinstance(item, Mapping):
            yield item


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


_KINDS: Final[Mapping[str, Callable[[Node], Iterator[Line]]]] = {
    "TextHeading": _plain,
    "TextSubheading": _plain,
    "TextBody": _plain,
    "TextCaption": _plain,
    "RichText": _plain,
    "Image": _picture,
    "ImageCarousel": _carousel,
    "TextInput": _field,
    "TextArea": _field,
    "DatePicker": _field,
    "CalendarPicker": _field,
    "PhotoPicker": _picker,
    "DocumentPicker": _picker,
    "CheckboxGroup": _choice,
    "ChipsSelector": _choice,
    "RadioButtonsGroup": _choice,
    "Dropdown": _choice,
    "OptIn": _opt_in,
    "NavigationList": _navigation,
    "EmbeddedLink": _link,
    "Footer": _footer,
}
