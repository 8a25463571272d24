"""
How a client behaves, row by row: for each row of BEHAVIOUR, what the player does.

The rows are those of what is known about clients; a row that proves wrong is found here by its id, with its code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

import whatsapp_flows
from tests.play.small_flows import (
    LIST,
    OPTIONS,
    TEXT,
    asked,
    at,
    complete,
    exchange,
    field,
    flow,
    footer,
    navigate,
    opened,
    played,
    screen,
    update,
    with_endpoint,
)
from tests.play.views import FIRST, PNG, issues, node, seen
from whatsapp_flows.flow_json import Reference
from whatsapp_flows.play import (
    BEHAVIOUR,
    Answer,
    Back,
    Blur,
    Complete,
    Counter,
    Evidence,
    Fill,
    Select,
    Session,
    Snackbar,
    Step,
    Tap,
    UploadedFile,
    advance,
    view,
)
from whatsapp_flows.play._evaluate import evaluate_condition, evaluate_expression
from whatsapp_flows.play._markdown import blocks
from whatsapp_flows.play._validity import entered, invalid

NAME: Final = field("TextInput", "name")
TWO: Final = OPTIONS[:2]
RANGE: Final = {"mode": "range", "label": {"start-date": "From", "end-date": "To"}}
IMAGE: Final = {"type": "Image", "src": PNG}
LARGE: Final = PNG + "A" * 160_000


def condition(text: str, **form: Any) -> bool:
    return evaluate_condition(text, lambda reference: form.get(reference.path[0]))


def expression(text: str, **form: Any) -> Any:
    def lookup(reference: Reference) -> Any:
        return form.get(reference.path[0])

    return evaluate_expression(f"`{text}`", lookup)


def why(kind: str, value: Any, **props: Any) -> str:
    """The reason why a value is not valid."""
    found = invalid(kind, {name.replace("_", "-"): each for name, each in props.items()}, value)
    return found.reason if found else ""


def kinds(text: Any, kind: str) -> list[str]:
    return [block.type for block in blocks(text, kind)]


def answered(session: Session, content: Any, **answer: Any) -> Step:
    """The step after the Footer is tapped, and the endpoint answers."""
    step = played(session, Tap(at(session, "Footer")))
    return advance(step.session, Answer(number=asked(step).number, content=content, **answer))


def form_of(session: Session) -> dict[str, Any]:
    return dict(session.screens[session.screen].form)


def usable(*children: Any, **state: Any) -> bool:
    """Whether the Footer below some components can be tapped."""
    found = seen(*children, footer(complete()), **state).footer
    assert found is not None
    return found.enabled


def two_screens(*children: Any, **second: Any) -> Session:
    return opened(flow(screen("A", *children, footer(navigate("B"))), screen("B", footer(complete()), **second)))


def routed(*, back: bool = False, **first: Any) -> Session:
    """On the second of three screens in a row, with an endpoint."""
    screens = (
        screen("A", footer(navigate("B")), **first),
        screen("B", footer(exchange()), refresh_on_back=back),
        screen("C", footer(exchange()), data={"x": TEXT}),
    )
    session = opened(with_endpoint(*screens, routes={"A": ["B"], "B": ["C"], "C": []}))
    return played(session, Tap(at(session, "Footer"))).session


def ended(data: Any) -> Any:
    """How a Flow ends after an answer with SUCCESS."""
    return answered(routed(), {"screen": "SUCCESS", "data": data}).session.end


def broken(step: Step) -> list[str]:
    return [getattr(effect, "key", "") for effect in step.effects]


def after(session: Session, *events: Any) -> Session:
    return played(session, *events).session


def first_node(session: Session, name: str) -> Any:
    return view(session).node(at(session, name))


def error_of(component: Any, *events: Any) -> str:
    """The error that is shown below a component after some events."""
    session = after(opened(flow(screen("A", component, footer(complete())))), *events)
    return str(first_node(session, component["name"]).error)


def group(**more: Any) -> dict[str, Any]:
    return field("CheckboxGroup", "group", **{"data-source": OPTIONS} | more)


def data_source(items: Any) -> Any:
    """What a group holds after its options have come anew."""
    session = opened(flow(screen(
        "A", group(**{"data-source": "${data.items}", "init-value": ["a", "c"]}),
        {"type": "EmbeddedLink", "text": "x", "on-click-action": update(items=items)}, data={"items": LIST},
    )))  # fmt: skip
    return form_of(after(session, Tap(at(session, "EmbeddedLink"))))["group"]


def server_error() -> list[str]:
    """The error of a field after the server has sent one, and after the value has changed."""
    name = {**NAME, "error-message": "${data.wrong}"}
    session = opened(flow(screen("A", name, data={"wrong": {"type": "string", "__example__": "Taken"}})))
    changed = after(session, Fill(FIRST, "a"), Blur(FIRST))
    return [first_node(session, "name").error, first_node(changed, "name").error]


def merged() -> dict[str, Any]:
    """The data of the second screen after two visits."""
    second = screen(
        "B", {"type": "EmbeddedLink", "text": "x", "on-click-action": update(y="new")}, data={"x": TEXT, "y": TEXT}
    )
    session = opened(flow(screen("A", footer(navigate("B", x="1", y="2"))), second))
    session = after(session, Tap(at(session, "Footer")))
    return dict(after(session, Tap(at(session, "EmbeddedLink"))).screens["B"].data)


def back_and_forth() -> tuple[str, Any]:
    session = two_screens(NAME)
    session = after(session, Fill(FIRST, "Ada"), Tap(at(session, "Footer")), Back())
    return session.screen, form_of(session)["name"]


def log_of(session: Session, *events: Any) -> str:
    """What update_data actions have left in the data of the screen."""
    return str(after(session, *events).screens["A"].data["log"])


def choice(**more: Any) -> Session:
    """A screen with a choice whose options and whose component set the same key of the data."""
    options = [{**each, "on-select-action": update(log=f"option {each['id']}")} for each in TWO]
    return opened(
        flow(screen("A", field("RadioButtonsGroup", "r", **{"data-source": options} | more), data={"log": TEXT}))
    )


def first_render(version: str) -> str:
    field_ = field("Dropdown", "d", **{"data-source": TWO, "on-select-action": update(log="fired")})
    return log_of(opened(flow(screen("A", field_, data={"log": TEXT}), version=version)))


def deselected() -> str:
    """The data after an option of a group is deselected; the group has no on-unselect-action."""
    chosen = group(**{"init-value": ["a"], "on-select-action": update(log="fired")})
    return log_of(opened(flow(screen("A", chosen, data={"log": TEXT}))), Select(FIRST, "a", selected=False))


def on_third() -> Session:
    """On the last of three screens, which has data."""
    return answered(routed(), {"screen": "C", "data": {"x": "y"}}).session


def complete_deep() -> dict[str, Any]:
    """The payload of a complete that has a reference in a list."""
    session = opened(flow(screen("A", footer(complete(a=[{"b": "${data.x}"}])), data={"x": TEXT})))
    end = after(session, Tap(at(session, "Footer"))).end
    return (
        {key: value for key, value in end.payload.items() if key != "flow_token"} if isinstance(end, Complete) else {}
    )


def initial_changes(*events: Any) -> str:
    name = {**NAME, "init-value": "${data.x}"}
    link = {"type": "EmbeddedLink", "text": "x", "on-click-action": update(x="new")}
    session = after(opened(flow(screen("A", name, link, data={"x": TEXT}))), *events)
    return str(form_of(after(session, Tap(at(session, "EmbeddedLink"))))["name"])


def refreshed() -> tuple[str, str, Any]:
    request = asked(advance(routed(back=True), Back()))
    return request.action, request.screen, request.data


def loading() -> tuple[bool, bool]:
    session = routed()
    found = view(played(session, Tap(at(session, "Footer"))).session)
    return found.loading, bool(found.footer and found.footer.enabled)


def updated_beyond_the_model() -> list[str]:
    link = {"type": "EmbeddedLink", "text": "x", "on-click-action": update(z="1")}
    session = opened(flow(screen("A", link, data={"x": TEXT})))
    return broken(advance(session, Tap(at(session, "EmbeddedLink"))))


def snackbar(text: str) -> Any:
    return answered(routed(), {"screen": "B", "data": {"error_message": text}}).session.snackbar


def switch(value: str) -> list[str]:
    cases = {name: [{"type": "TextBody", "text": name}] for name in ("a", "default")}
    return [each.props["text"] for each in seen({"type": "Switch", "value": value, "cases": cases}).nodes if each.shown]


def initial_of(*children: Any) -> dict[str, Any]:
    return form_of(opened(flow(screen("A", *children))))


def navigation(count: int) -> int:
    items = [{"id": str(i), "main-content": {"title": "x"}} for i in range(count)]
    return len(node(field("NavigationList", "list", **{"list-items": items})).props["list-items"])


def start_of_item(image: str) -> bool:
    item = {"id": "1", "main-content": {"title": "x"}, "start": {"image": image, "alt-text": "x"}}
    found = node(field("NavigationList", "list", **{"list-items": [item]}))
    return "image" in found.props["list-items"][0]["start"]


DONE: Final = UploadedFile(name="a.pdf", mime_type="application/pdf")
ROWS: Final[tuple[tuple[str, Callable[[], Any], Any], ...]] = (
    ("condition.operators", lambda: condition("${form.a} == 'x' && ${form.b} == 'y'", a="x", b="y"), False),
    ("condition.folding", lambda: condition("${form.f} == true && ${form.g} == false", f=False, g=True), True),
    ("condition.backticks", lambda: condition("`${form.n} > 5`", n=6), False),
    ("condition.whole-numbers", lambda: condition("${form.n} > 5", n="5.5"), False),
    ("condition.empty", lambda: [condition("${form.a} == ''"), condition("${form.a} == false")], [True, True]),
    ("condition.unreadable", lambda: condition("${form.a} =="), False),
    ("expression.empty-is-zero", lambda: [expression("${form.a} + 1"), expression("${form.a} + 1", a="")], [1, 1]),
    ("expression.division-by-zero", lambda: [expression("1 / 0"), expression("1 % ${form.a}")], [0, 0]),
    ("expression.rounding", lambda: expression("2 / 3"), 0.67),
    ("expression.equality", lambda: [expression("${form.a} == 0"), expression("'5.0' == 5")], [False, True]),
    ("expression.ordering", lambda: expression("'2026-01-01' < '2026-01-02'"), False),
    ("expression.logic", lambda: [expression("'x' && 1"), expression("0 || ''")], [True, False]),
    (
        "expression.concatenation",
        lambda: [expression("'x' == ${form.a} 'y'"), node({**NAME, "required": "`'x' == ${form.name} 'y'`"}).invalid],
        ["falsey", "required"],
    ),
    ("expression.call", lambda: expression("${form.a} ('y')", a="x"), None),
    ("expression.brace", lambda: expression("'a}b'"), "ab"),
    ("expression.not-a-number", lambda: expression("'a' + 1"), 1),
    ("expression.unreadable", lambda: expression("1 +"), None),
    (
        "text.markdown",
        lambda: kinds(["# a", "- b", "| c |", "|-|"], "TextBody"),
        ["paragraph", "list", "paragraph", "paragraph"],
    ),
    (
        "rich-text.blocks",
        lambda: kinds(["# a", "b", "- c", "| d |", "|-|", f"![e](data:image/png;base64,{PNG})"], "RichText"),
        ["heading", "paragraph", "list", "table", "image"],
    ),
    (
        "rich-text.headings",
        lambda: kinds(["## a", "### b", "###### c"], "RichText"),
        ["heading", "paragraph", "paragraph"],
    ),
    ("rich-text.paragraphs", lambda: [len(blocks(["a", "b\n\nc\nd"], "RichText"))], [3]),
    (
        "text.links",
        lambda: [
            span.href
            for block in blocks("[a](https://a.b)[c](javascript:x)", "RichText")
            for span in getattr(block, "spans", ())
        ],
        ["https://a.b", ""],
    ),
    ("text.cut", lambda: node({"type": "TextHeading", "text": "x" * 99}).props["text"], "x" * 80),
    (
        "reference.whole",
        lambda: node({"type": "TextBody", "text": "a ${data.x}"}, data={"x": "y"}).props["text"],
        "a ${data.x}",
    ),
    (
        "reference.missing",
        lambda: issues(node({"type": "TextBody", "text": "${data.x}"})),
        ["'text': ${data.x} has no value."],
    ),
    (
        "text-input.optional",
        lambda: [node({**NAME, "required": each}).props["optional"] for each in (True, False)],
        [False, True],
    ),
    (
        "text-input.helper-text",
        lambda: "helper-text" in node({**NAME, "required": True, "helper-text": "x"}, touched=(FIRST,)).props,
        False,
    ),
    ("text-input.counter", lambda: node(NAME, form={"name": "Ada"}).counter, Counter(count=3, limit=80)),
    ("text-input.no-emoji", lambda: entered("TextInput", {"input-type": "password"}, "a\U0001f600b"), "ab"),
    ("text-input.number-is-text", lambda: initial_of({**NAME, "input-type": "number", "init-value": 5})["name"], "5"),
    (
        "text-input.checks",
        lambda: [
            why("TextInput", "a", min_chars=2, input_type="email"),
            why("TextInput", "aaa", max_chars=2, input_type="email"),
            why("TextInput", "aa", input_type="number", pattern="b"),
        ],
        ["too-short", "too-long", "not-a-number"],
    ),
    ("text-input.min-chars", lambda: why("TextInput", "", min_chars=3), ""),
    ("text-input.max-chars", lambda: [why("TextInput", "a" * 80), why("TextInput", "a" * 81)], ["", "too-long"]),
    ("text-input.empty", lambda: why("TextInput", "", input_type="email", pattern="a"), ""),
    (
        "text-input.email",
        lambda: [why("TextInput", each, input_type="email") for each in ("a@b.c", "a@b")],
        ["", "not-an-email"],
    ),
    ("text-input.passcode", lambda: why("TextInput", "12a", input_type="passcode"), "not-digits"),
    (
        "text-input.phone",
        lambda: [why("TextInput", each, input_type="phone") for each in ("+1 (2)-3", "a")],
        ["", "not-a-phone-number"],
    ),
    (
        "text-input.number",
        lambda: [why("TextInput", each, input_type="number") for each in ("-1,000.5e3", "a")],
        ["", "not-a-number"],
    ),
    (
        "text-input.pattern",
        lambda: [why("TextInput", "a1", pattern=each) for each in ("[0-9]", "^[0-9]$")],
        ["", "pattern"],
    ),
    ("text-input.broken-pattern", lambda: why("TextInput", "a", pattern="("), ""),
    ("text-area.max-length", lambda: len(entered("TextArea", {}, "a" * 601)), 600),
    (
        "group.max-disables",
        lambda: [
            each["enabled"]
            for each in node(group(**{"max-selected-items": 2}), form={"group": ("a", "c")}).props["data-source"]
        ],
        [True, False, True],
    ),
    (
        "group.hint",
        lambda: node(group(**{"min-selected-items": 1, "max-selected-items": 2})).props["hint"],
        {"min": 1, "max": 2},
    ),
    (
        "group.count",
        lambda: [why("CheckboxGroup", (), min_selected_items=1), usable(group(**{"min-selected-items": 1}))],
        ["too-few", False],
    ),
    (
        "radio.checks",
        lambda: [why("RadioButtonsGroup", "z", data_source=TWO), why("RadioButtonsGroup", "", required=True)],
        ["", "required"],
    ),
    (
        "radio.media-size",
        lambda: node(field("RadioButtonsGroup", "r", **{"media-size": "large"})).props["media-size"],
        "large",
    ),
    (
        "dropdown.offered",
        lambda: [why("Dropdown", "z", data_source=TWO), usable(group(type="Dropdown"), form={"group": "z"})],
        ["not-offered", False],
    ),
    ("data-source.reset", lambda: data_source([{"id": "c", "title": "C"}]), ("c",)),
    ("init-value.not-offered", lambda: initial_of(group(**{"init-value": ["a", "z"]}))["group"], ("a", "z")),
    (
        "opt-in.read-more",
        lambda: [
            "on-click-action" in node(field("OptIn", "o", **more)).props
            for more in ({}, {"on-click-action": exchange()})
        ],
        [False, True],
    ),
    (
        "opt-in.unchecked",
        lambda: form_of(
            after(opened(flow(screen("A", field("OptIn", "o")))), Select(FIRST), Select(FIRST, selected=False))
        )["o"],
        None,
    ),
    ("opt-in.optional", lambda: node(field("OptIn", "o")).props["optional"], True),
    ("opt-in.label", lambda: len(node({**field("OptIn", "o"), "label": "x" * 301}).props["label"]), 300),
    ("opt-in.untouched", lambda: node(field("OptIn", "o")).value, False),
    ("select-action.both", deselected, "fired"),
    (
        "select-action.order",
        lambda: log_of(choice(**{"on-select-action": update(log="component")}), Select(FIRST, "a")),
        "component",
    ),
    ("select-action.first-render", lambda: [first_render("6.0"), first_render("7.0")], ["fired", "x"]),
    ("init-value.changed", lambda: [initial_changes(), initial_changes(Fill(FIRST, "mine"))], ["new", "mine"]),
    ("data.same-screen", lambda: broken(answered(on_third(), {"screen": "C", "data": {}})), []),
    ("payload.deep", complete_deep, {"a": [{"b": "x"}]}),
    (
        "date-picker.range",
        lambda: [why("DatePicker", day) for day in ("1899-12-31", "1900-01-01", "2101-01-01")],
        ["too-early", "", "too-late"],
    ),
    (
        "date-picker.format",
        lambda: [why("DatePicker", day) for day in ("2026-01-31", "1693569600000")],
        ["", "not-a-date"],
    ),
    (
        "date-picker.unavailable",
        lambda: why("DatePicker", "2026-01-31", unavailable_dates=["2026-01-31"]),
        "unavailable",
    ),
    ("calendar-picker.modes", lambda: node(field("CalendarPicker", "c")).props["mode"], "single"),
    (
        "calendar-picker.required",
        lambda: why(
            "CalendarPicker", {"start-date": "2026-01-31"}, **RANGE, required={"start-date": True, "end-date": True}
        ),
        "required",
    ),
    (
        "calendar-picker.days",
        lambda: [
            why("CalendarPicker", "2026-01-31", include_days=["Mon"]),
            why("CalendarPicker", {"start-date": "2026-01-31", "end-date": "2026-01-30"}, **RANGE),
        ],
        ["wrong-weekday", "end-before-start"],
    ),
    (
        "calendar-picker.length",
        lambda: [
            why("CalendarPicker", {"start-date": "2026-01-30", "end-date": "2026-01-31"}, **RANGE, min_days=least)
            for least in (2, 3)
        ],
        ["", "too-few-days"],
    ),
    ("image.scale", lambda: node(IMAGE).props["scale-type"], "contain"),
    ("image.height", lambda: node(IMAGE).props["default-height"], {"android": 400}),
    ("image.types", lambda: "src" in node({"type": "Image", "src": "PHN2Zz4="}).props, False),
    (
        "image.size",
        lambda: [bool(issues(node({"type": "Image", "src": PNG + "A" * 500_000}))), bool(issues(node(IMAGE)))],
        [True, False],
    ),
    ("list.size", lambda: bool(issues(node(group(**{"data-source": []})))), True),
    ("list.ids", lambda: bool(issues(node(group(**{"data-source": [OPTIONS[0], OPTIONS[0]]})))), True),
    (
        "carousel.images",
        lambda: len(node({"type": "ImageCarousel", "images": [{"src": PNG, "alt-text": "x"}] * 4}).props["images"]),
        3,
    ),
    ("navigation-list.limit", lambda: [navigation(20), navigation(21)], [20, 0]),
    (
        "navigation-list.texts",
        lambda: len(
            node(
                field(
                    "NavigationList",
                    "l",
                    **{"label": "x" * 99, "list-items": [{"id": "1", "main-content": {"title": "x"}}]},
                )
            ).props["label"]
        ),
        80,
    ),
    ("navigation-list.image", lambda: [start_of_item(PNG), start_of_item(LARGE)], [True, False]),
    (
        "link.web",
        lambda: bool(
            issues(
                node(
                    {
                        "type": "EmbeddedLink",
                        "text": "x",
                        "on-click-action": {"name": "open_url", "url": "javascript:alert(1)"},
                    }
                )
            )
        ),
        True,
    ),
    (
        "picker.upload",
        lambda: [why("PhotoPicker", (UploadedFile(name="a", state=state),)) for state in ("running", "failed")],
        ["uploading", "upload-failed"],
    ),
    (
        "picker.count",
        lambda: [why("PhotoPicker", (), min_uploaded_photos=1), why("DocumentPicker", (DONE,) * 31)],
        ["too-few", "too-many"],
    ),
    ("picker.size", lambda: why("PhotoPicker", (UploadedFile(name="a", size=25600 * 1024 + 1),)), "too-large"),
    ("picker.type", lambda: why("DocumentPicker", (DONE,), allowed_mime_types=["image/jpeg"]), "wrong-type"),
    ("footer.enabled", lambda: [usable({**NAME, "required": True}), usable(NAME)], [False, True]),
    ("footer.loading", loading, (True, False)),
    (
        "footer.navigate",
        lambda: [
            bool((found := seen(footer(navigate("B", x="${data.x}")), data=data).footer) and found.enabled)
            for data in ({}, {"x": "y"})
        ],
        [False, True],
    ),
    (
        "branch.shown-only",
        lambda: usable(
            {
                "type": "If",
                "condition": "${data.a}",
                "then": [{**NAME, "required": True}],
                "else": [{"type": "TextBody", "text": "x"}],
            },
            data={"a": False},
        ),
        True,
    ),
    ("switch.default", lambda: [switch("a"), switch("z")], [["a"], ["default"]]),
    (
        "form.first",
        lambda: [
            initial_of({"type": "Form", "name": "f", "init-values": {"name": "Ada"}, "children": [NAME]}).get("name"),
            initial_of({"type": "If", "condition": "${data.x}", "then": [{**NAME, "init-value": "Bob"}]}).get("name"),
        ],
        ["Ada", "Bob"],
    ),
    ("validity.hidden", lambda: usable({**NAME, "required": True, "visible": False}), True),
    (
        "validity.required",
        lambda: [
            why("OptIn", False, required=True),
            why("TextInput", " ", required=True),
            why("ChipsSelector", (), required=True),
        ],
        ["required"] * 3,
    ),
    (
        "error.touched",
        lambda: [
            bool(error_of({**NAME, "min-chars": 3}, *events))
            for events in ((), (Fill(FIRST, "a"),), (Fill(FIRST, "a"), Blur(FIRST)))
        ],
        [False, False, True],
    ),
    ("error.of-server", server_error, ["Taken", ""]),
    ("state.form", back_and_forth, ("A", "Ada")),
    ("state.merge", merged, {"x": "1", "y": "new"}),
    ("back.kept", back_and_forth, ("A", "Ada")),
    ("back.refresh", refreshed, ("BACK", "B", {})),
    ("move.previous", lambda: answered(routed(), {"screen": "A", "data": {}}).session.history, ("A",)),
    (
        "move.answer",
        lambda: [
            broken(answered(routed(), {"screen": name, "data": data}))
            for name, data in (("A", {}), ("B", {}), ("C", {"x": "y"}), ("D", {}))
        ],
        [[], [], [], ["invalid-screen-transition"]],
    ),
    (
        "data.checked",
        lambda: [
            broken(answered(routed(), {"screen": "C", "data": data})) for data in ({"x": "y", "more": 1}, {"x": 5}, {})
        ],
        [[], ["payload-schema-error"], ["payload-schema-error"]],
    ),
    (
        "data.no-model",
        lambda: broken(answered(routed(), {"screen": "A", "data": {"x": "y"}})),
        ["payload-schema-error"],
    ),
    ("data.update", updated_beyond_the_model, ["payload-schema-error"]),
    ("routes.inferred", lambda: two_screens().flow.leads("A", "B"), True),
    (
        "snackbar.seconds",
        lambda: [snackbar("x" * 45), snackbar("x" * 46)],
        [Snackbar("x" * 45, 4.5), Snackbar("x" * 46, 7.0)],
    ),
    (
        "complete.payload",
        lambda: (
            played(
                opened(
                    flow(
                        screen("A", footer(complete(a="b"))),
                    ),
                    flow_token="t",
                ),
                Tap(f"{FIRST}"),
            ).session.end
        ),
        Complete(payload={"a": "b", "flow_token": "t"}),
    ),
    (
        "complete.params",
        lambda: ended({"extension_message_response": {"params": {"flow_token": "t", "a": 1}}}),
        Complete(payload={"flow_token": "t", "a": 1}),
    ),
    ("complete.unsent", lambda: ended({}), Complete(payload={}, sent=False)),
    (
        "endpoint.427",
        lambda: getattr(answered(routed(), None, failure="token-refused").session.end, "closed", None),
        True,
    ),
)
ELSEWHERE: Final = {
    "text-input.label": "tests/preview", "carousel.dots": "tests/preview", "footer.captions": "tests/preview",
    "frame.sheet": "tests/preview", "frame.platforms": "tests/preview", "summary.titles": "tests/play/test_summary.py",
    "summary.masked": "tests/play/test_summary.py", "summary.left-out": "tests/play/test_summary.py",
    "summary.fields": "tests/play/test_summary.py", "endpoint.421": "tests/play/test_player.py",
}  # fmt: skip
"""Rows about what the page draws, and what players and the summary do."""
DRAWN: Final = {*(row for row, where in ELSEWHERE.items() if where == "tests/preview"), "radio.media-size"}
CODE: Final = Path(whatsapp_flows.__file__).parent / "play"


@pytest.mark.parametrize(("row", "found", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_what_the_player_does(row: str, found: Callable[[], Any], expected: Any) -> None:
    """Each row in an example."""
    assert found() == expected, BEHAVIOUR[row].fact


def test_every_row_has_an_example() -> None:
    """No row is only said."""
    assert {row[0] for row in ROWS} | ELSEWHERE.keys() >= BEHAVIOUR.keys()


def test_every_row_leads_to_code() -> None:
    """The code that follows a row names it, so that it is found when the row proves wrong; the page draws the rest."""
    sources = [path.read_text("utf-8") for path in CODE.glob("*.py") if path.name != "_behaviour.py"]
    code = "\n".join(sources)
    assert [name for name in BEHAVIOUR if name not in code and name not in DRAWN] == []
    read = set(re.findall(r"""BEHAVIOUR\[["']([\w.-]+)["']\]\.value""", code))
    written = {name for name, row in BEHAVIOUR.items() if row.value is not None}
    assert written <= read  # a value that nothing reads would change nothing


def test_every_row_says_how_it_is_known() -> None:
    """A row has a fact in a sentence, and its evidence with a source."""
    assert all(row.fact and row.evidence.source for row in BEHAVIOUR.values())
    assert {row.evidence.kind for row in BEHAVIOUR.values()} == {"documented", "observed", "assumed"}
    assert str(Evidence("observed", "Meta's web client, 2026-08")) == "observed: Meta's web client, 2026-08"
    assert [name for name, row in BEHAVIOUR.items() if row.id != name] == []
