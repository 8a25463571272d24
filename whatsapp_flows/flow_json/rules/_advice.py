"""
Advice: documents that Meta accepts and that still fail or mislead their users. All of it warnings, with our own codes.

Sources: Meta, Flow JSON reference and changelog; field reports.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from ..language import referenced_names
from ..schema import KNOWN_VERSIONS, RECOMMENDED, Document, Finding, Severity
from ..text import short_repr
from ._index import index
from ._language_advice import LANGUAGE_ADVICE
from ._measures import MEASURES
from ._play_advice import PLAY_ADVICE
from ._rule import DOCUMENTED, Rule

FREEZES_SOON: Final = timedelta(days=90)
# Meta froze 4.0 ten months after its release, 5.0 after thirteen: a version of a year may be frozen soon.
GROWS_OLD: Final = timedelta(days=365)
# Uploads of 11 kB with 7 screens were observed to fail in processing (139001/4016012) and to succeed when repeated.
# Most of that size never fail, so advice begins well above.
LARGE_BYTES: Final = 20 * 1024
# Components whose values the user enters. The answer to a NavigationList is the screen it leads to.
ANSWERS: Final = frozenset(
    {
        "CalendarPicker",
        "CheckboxGroup",
        "ChipsSelector",
        "DatePicker",
        "DocumentPicker",
        "Dropdown",
        "OptIn",
        "PhotoPicker",
        "RadioButtonsGroup",
        "TextArea",
        "TextInput",
    }
)


def freezes_soon(doc: Document) -> Iterator[Finding]:
    """
    A version that Meta freezes within 90 days.

    Passes: {"version": "5.0", "today": "2025-01-01"}
    Fails: {"version": "5.0", "today": "2025-08-01"}
    """
    frozen = KNOWN_VERSIONS[doc.version].frozen
    if frozen and doc.today and doc.today < frozen <= doc.today + FREEZES_SOON:
        message = f"version {doc.version} freezes on {frozen}: from then on it cannot be uploaded."
        yield Finding("VERSION_FREEZES_SOON", message, ("version",))


def old_version(doc: Document) -> Iterator[Finding]:
    """
    A version released more than a year ago, and older than the one Meta recommends.

    Passes: {"version": "7.0", "today": "2025-12-01"}
    Fails: {"version": "5.1", "today": "2025-12-01"}
    """
    released = KNOWN_VERSIONS[doc.version].released
    if doc.version < RECOMMENDED and released and doc.today and doc.today - released > GROWS_OLD:
        message = (
            f"version {doc.version} is of {released:%B %Y}; Meta has frozen versions after about a year. "
            f"{RECOMMENDED} is recommended."
        )
        yield Finding("OLD_VERSION", message, ("version",))


def large_document(doc: Document) -> Iterator[Finding]:
    """
    A document so large that Meta's processing occasionally fails.

    Passes: {"size": 13000}
    Fails: {"size": 21000}
    """
    if doc.size > LARGE_BYTES:
        message = (
            f"the document has {doc.size} bytes: large ones are at times saved but not processed (139001/4016012). "
            "Send the same again if that happens, or split the flow."
        )
        yield Finding("LARGE_DOCUMENT", message)


def unreachable_screens(doc: Document) -> Iterator[Finding]:
    """
    A screen that cannot be reached. Checked only where no endpoint and no binding chooses the next screen.

    Passes: {"routes": {"A": ["B"], "B": []}}
    Fails: {"routes": {"A": [], "B": ["A"]}}
    """
    known = index(doc)
    if len(doc.screens) < 2 or "data_api_version" in doc.value or "routing_model" in doc.value:
        return
    if "data_exchange" in known.actions or "NavigationList" in known.by_type:
        return
    if len(known.routes.navigations) < len(known.actions.get("navigate", ())):
        return
    reached = known.routes.reached
    for screen in () if reached.issuperset(known.screens) else doc.screens:
        if screen.id not in reached:
            message = f"the screen {short_repr(screen.id)} cannot be reached from the first one."
            yield Finding("UNREACHABLE_SCREEN", message, screen.at("id"))


def unused_fields(doc: Document) -> Iterator[Finding]:
    """
    A field of a screen's data that is never read.

    Passes: {"data": {"name": {"type": "string", "__example__": "Ann"}}, "children": [{"type": "TextBody", "text": "${data.name}"}]}
    Fails: {"data": {"name": {"type": "string", "__example__": "Ann"}}, "children": [{"type": "TextBody", "text": "Hello"}]}
    """  # noqa: E501
    known = index(doc)
    for screen in known.references.screens_with_unread:
        for name in screen.value.get("data", ()):
            if name == "required" or known.references.is_read(screen, "data", name):
                continue
            if (screen.id, "data", name) not in _references(doc):
                message = f"nothing reads the field {short_repr(name)} of screen {short_repr(screen.id)}."
                yield Finding("UNUSED_DATA_FIELD", message, screen.at("data", name), key=True)


def unsent_answers(doc: Document) -> Iterator[Finding]:
    """
    An answer of the user that is never sent or read.

    Passes: {"children": [{"type": "TextInput", "name": "a", "label": "A"}], "payload": {"a": "${form.a}"}}
    Fails: {"children": [{"type": "TextInput", "name": "a", "label": "A"}], "payload": {}}
    """
    known = index(doc)
    for screen in known.references.screens_with_unread:
        for component in screen.components:
            if component.type not in ANSWERS or known.references.is_read(
                screen, "form", name := component.value["name"]
            ):
                continue
            if (screen.id, "form", name) not in _references(doc):
                answer = f"the answer {short_repr(name)} of screen {short_repr(screen.id)}"
                message = f"{answer} is in no payload: it is never sent."
                yield Finding("ANSWER_NOT_SENT", message, component.at("name"))


def _references(doc: Document) -> frozenset[tuple[str, str, str]]:
    """All references of a document as (screen, data or form, name), anywhere in its texts."""
    found: frozenset[tuple[str, str, str]] | None = doc.cache.get("advice.references")
    if found is None:
        found = doc.cache["advice.references"] = frozenset(
            (there or screen.id, kind, name)
            for screen in doc.screens
            for text in _bound_texts(screen.value)
            for there, kind, name in referenced_names(text)
        )
    return found


def _bound_texts(value: Any) -> list[str]:
    """The strings with a binding in them, at any depth."""
    found, ahead = [], [value]
    while ahead:
        held = ahead.pop()
        if type(held) is str:
            if "${" in held:
                found.append(held)
        elif type(held) is dict:
            ahead.extend(held.values())
        elif type(held) is list:
            ahead.extend(held)
    return found


_ABOUT_THE_DOCUMENT: Final[tuple[Rule, ...]] = tuple(
    Rule(id=id_, name=name, check=check, severity=Severity.WARNING, evidence=evidence)
    for id_, name, check, evidence in (
        ("FJ901", "version freezes soon", freezes_soon, "documented: Meta, changelog"),
        ("FJ902", "old version", old_version, "documented: Meta, changelog"),
        ("FJ903", "large document", large_document, "observed: field reports of 139001/4016012"),
        ("FJ908", "unreachable screen", unreachable_screens, DOCUMENTED),
        ("FJ909", "unused data field", unused_fields, DOCUMENTED),
        ("FJ910", "answer not sent", unsent_answers, DOCUMENTED),
    )
)  # fmt: skip

ADVICE: Final[tuple[Rule, ...]] = tuple(
    sorted((*_ABOUT_THE_DOCUMENT, *MEASURES, *LANGUAGE_ADVICE, *PLAY_ADVICE), key=lambda rule: rule.id)
)
