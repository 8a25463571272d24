"""
Components as their user sees them: what the properties and the state of a screen come to.

`_MORE` holds what is particular to each kind of component; the rest is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from itertools import accumulate
from typing import Any, Final
from urllib.parse import urlsplit

from ._behaviour import BEHAVIOUR
from ._components import CLICK, CONTAINERS, Component
from ._display import displayed
from ._fields import ENDS
from ._markdown import block_json, blocks
from ._property_values import rows_of
from ._resolve import Resolver
from ._validity import day_number, length_of, limit_of, pattern_issue
from ._values import Counter, Issue, Node
from ._versions import DAYS_SINCE, NEWEST

_Props = dict[str, Any]
_Issues = list[Issue]


def node_of(component: Component, resolver: Resolver, *, focused: bool) -> Node:
    """A component as the user sees it, in the state of a resolver. `focused`: it has the focus."""
    if component.kind in CONTAINERS or not rows_of(component.kind, resolver.version):
        return _unplayable(component, resolver)
    properties = resolver.properties(component)
    props, issues = dict(properties.values), list(properties.issues)
    for more in _MORE.get(component.kind, ()):
        more(component, resolver, props, issues)
    wrong = resolver.invalid(component)
    refused = _refused(component, resolver, issues)
    error = refused or (wrong.text if wrong and component.path in resolver.state.touched and not focused else "")
    if error:  # shown once the field was touched (error.touched), in place of its helper text (text-input.helper-text)
        props.pop("helper-text", None)
    value = resolver.value(component)
    return Node(
        path=component.path,
        kind=component.kind,
        name=component.name,
        props=props,
        value=_shown_value(component, value),
        error=error,
        invalid=wrong.reason if wrong else "",
        enabled=resolver.enabled(component),
        shown=resolver.shown(component),
        counter=_counter(component, props, value),
        issues=tuple(issues),
    )


def _unplayable(component: Component, resolver: Resolver) -> Node:
    """A component that the version does not have, or that is none."""
    if component.kind in CONTAINERS and rows_of(component.kind, resolver.version):
        text = f"This {component.kind} is nested too deeply."
    elif rows_of(component.kind, NEWEST):
        text = f"There is no {component.kind} in this version of Flow JSON."
    elif component.kind:
        text = f"There is no component {component.kind[:40]!r}."
    else:
        text = "This is no component: it has no type."
    return Node(
        path=component.path,
        kind=component.kind,
        name=component.name,
        props={},
        enabled=False,
        shown=resolver.shown(component),
        issues=(Issue(text, blocking=True),),
    )


def _refused(component: Component, resolver: Resolver, issues: _Issues) -> str:
    """The error that a server has sent for a field (error.of-server), as far as there is room for it (text.cut)."""
    text = resolver.state.refused.get(component.path, "")
    row = rows_of(component.kind, resolver.version).get("error-message") if text else None
    return text if row is None else str(displayed(component.kind, row, text, {}, resolver.version, issues.append))


def _counter(component: Component, props: Mapping[str, Any], value: Any) -> Counter | None:
    """How many characters are used (text-input.counter)."""
    limit = limit_of(component.kind, props)
    return None if limit is None or not isinstance(value, str) else Counter(count=length_of(value), limit=limit)


# -- what is particular to a kind


def _optional(component: Component, resolver: Resolver, props: _Props, issues: _Issues) -> None:
    """Optional fields are marked, required ones are not (text-input.optional, opt-in.optional)."""
    required = props.get("required")
    if isinstance(required, Mapping):
        props["optional"] = {end: required.get(end) is not True for end in ENDS}
    else:
        props["optional"] = required is not True


def _keyboard(component: Component, resolver: Resolver, props: _Props, issues: _Issues) -> None:
    """The keyboard of a TextInput, by its input-type, as the values of HTML's `inputmode`."""
    props["keyboard"] = _KEYBOARDS.get(props["input-type"], "text")


def _pattern(component: Component, resolver: Resolver, props: _Props, issues: _Issues) -> None:
    """A pattern that is not valid or not checked (text-input.broken-pattern)."""
    if issue := pattern_issue(props):
        issues.append(issue)


_KEYBOARDS: Final = {"number": "decimal", "email": "email", "phone": "tel", "passcode": "numeric"}


def _options(component: Component, resolver: Resolver, props: _Props, issues: _Issues) -> None:
    """What can be selected, and what is."""
    key = "list-items" if component.kind == "NavigationList" else "data-source"
    props[key] = tuple(option.item for option in resolver.options(component))


def _hint(component: Component, resolver: Resolver, props: _Props, issues: _Issues) -> None:
    """How many options may be selected (group.hint)."""
    least, most = props.get("min-selected-items"), props.get("max-selected-items")
    if least or most:
        props["hint"] = {"min": least or 0, "max": most}


def _markdown(component: Component, resolver: Resolver, props: _Props, issues: _Issues) -> None:
    """The blocks of a RichText, and of a TextBody or a TextCaption with markdown (text.markdown)."""
    text = props.get("text")
    if text is None or not (component.kind == "RichText" or props.get("markdown") is True):
        return
    props["text"] = shown = _beginning(text)
    if shown != text:
        issues.append(Issue(f"'text' has more than {_LONGEST:,} characters: the first of them are shown."))
        text = shown
    memory = resolver.memory(component)
    if memory.blocks is None or memory.blocks[0] != text:
        memory.blocks = (text, tuple(block_json(block) for block in blocks(text, component.kind)))
    props["blocks"] = memory.blocks[1]


_LONGEST: Final = 100_000
"""Characters of a text with Markdown. Our limit; a RichText has none."""


def _beginning(text: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """The first characters of a text, or of several: all, if there are not too many."""
    if isinstance(text, str):
        return text[:_LONGEST]
    starts = accumulate(map(len, text), initial=0)
    return tuple(each[: _LONGEST - start] for start, each in zip(starts, text, strict=False) if start < _LONGEST)


def _link(component: Component, resolver: Resolver, props: _Props, issues: _Issues) -> None:
    """An open_url leads to the web; other URLs are shown, and not opened."""
    url = props.get(CLICK, {}).get("url", "")
    if url and not _is_web(url):
        issues.append(_issue("link.web", f"{url[:80]!r} is no http or https URL: nothing is opened."))


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in BEHAVIOUR["link.web"].value and bool(parts.netloc)


def _payload(component: Component, resolver: Resolver, props: _Props, issues: _Issues) -> None:
    """What a Footer waits for to hand it to the next screen (footer.navigate)."""
    for key in resolver.missing_payload(component):
        issues.append(_issue("footer.navigate", f"Disabled: {key[:40]!r} of the payload has no value."))


def _height(component: Component, resolver: Resolver, props: _Props, issues: _Issues) -> None:
    """A picture without a height has one of its own on Android (image.height)."""
    if "height" not in props and props.get("scale-type") == BEHAVIOUR["image.scale"].value:
        props["default-height"] = {"android": BEHAVIOUR["image.height"].value}


def _days(component: Component, resolver: Resolver, props: _Props, issues: _Issues) -> None:
    """The default range, and days where an old version counts milliseconds (date-picker.range, date-picker.format)."""
    first, last = BEHAVIOUR["date-picker.range"].value
    props.setdefault("min-date", first)
    props.setdefault("max-date", last)
    if resolver.version < DAYS_SINCE:
        props.update({key: _as_day(props[key]) for key in ("min-date", "max-date")})
        props["unavailable-dates"] = tuple(map(_as_day, props.get("unavailable-dates", ())))


def _as_day(text: str) -> str:
    """YYYY-MM-DD for milliseconds since 1970, anything else as it is."""
    number = day_number(text) if text.lstrip("-").isdecimal() else None
    return text if number is None or not 0 < number <= date.max.toordinal() else date.fromordinal(number).isoformat()


def _calendar(component: Component, resolver: Resolver, props: _Props, issues: _Issues) -> None:
    """In range mode there is a label and a helper text for each end, otherwise one (calendar-picker.modes)."""
    expected = Mapping if props["mode"] == "range" else str
    for key in ("label", "helper-text"):
        value = props.get(key)
        if value is not None and not isinstance(value, expected):
            what = "one text for each end" if expected is Mapping else "one text"
            issues.append(_issue("calendar-picker.modes", f"{key!r} takes {what} in the mode {props['mode']}."))
            props[key] = dict.fromkeys(ENDS, value) if expected is Mapping else next(iter(value.values()), "")


def _issue(row: str, text: str) -> Issue:
    return Issue(text, BEHAVIOUR[row].evidence)


def _shown_value(component: Component, value: Any) -> Any:
    """The value of a component; of a DatePicker as a day."""
    return _as_day(value) if component.kind == "DatePicker" and isinstance(value, str) else value


_More = Callable[[Component, Resolver, _Props, _Issues], None]
_MORE: Final[Mapping[str, tuple[_More, ...]]] = {
    "TextBody": (_markdown,),
    "TextCaption": (_markdown,),
    "RichText": (_markdown,),
    "TextInput": (_optional, _keyboard, _pattern),
    "TextArea": (_optional,),
    "CheckboxGroup": (_optional, _options, _hint),
    "ChipsSelector": (_optional, _options, _hint),
    "RadioButtonsGroup": (_optional, _options),
    "Dropdown": (_optional, _options),
    "OptIn": (_optional, _link),
    "EmbeddedLink": (_link,),
    "DatePicker": (_optional, _days),
    "CalendarPicker": (_optional, _days, _calendar),
    "Image": (_height,),
    "Footer": (_payload,),
    "NavigationList": (_options,),
}
"""Kind of component -> what is particular to it: each step adds to the properties or to the issues."""
