"""What a user does to the fields of a screen: filling, selecting, uploading, and the actions that this fires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from tests.play.fuzz import replayed
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
from whatsapp_flows.flow_json import parse_reference
from whatsapp_flows.play import (
    Answer,
    Back,
    Blur,
    Broken,
    Complete,
    Event,
    Fill,
    OpenUrl,
    Refused,
    Select,
    Session,
    Tap,
    Upload,
    UploadedFile,
    advance,
    view,
)
from whatsapp_flows.play._scope import Scope

BOOLEAN = {"type": "boolean", "__example__": False}


def form(session: Session) -> Mapping[str, Any]:
    return session.screens[session.screen].form


def data(session: Session) -> Mapping[str, Any]:
    return session.screens[session.screen].data


def one(*children: Any, version: str = "7.3", **more: Any) -> Session:
    """A Flow of one screen that is open."""
    return opened(flow(screen("A", *children, **more), version=version))


def refused(session: Session, event: Event) -> Refused:
    """Why an event is impossible. It has changed nothing."""
    step = advance(session, event)
    assert step.session == session
    (effect,) = step.effects
    assert isinstance(effect, Refused)
    assert effect.message
    return effect


# -- texts and dates


@pytest.mark.parametrize(
    ("component", "value", "held"),
    [
        (field("TextInput", "f"), "Ada", "Ada"),
        (field("TextInput", "f"), "x" * 100, "x" * 100),
        (field("TextArea", "f"), "x" * 700, "x" * 600),
        (field("TextArea", "f", **{"max-length": 3}), "abcd", "abc"),
        (field("TextInput", "f", **{"input-type": "password"}), "a😀b", "ab"),
        (field("TextInput", "f"), "a😀b", "a😀b"),
        (field("DatePicker", "f"), "2026-01-02", "2026-01-02"),
        (field("CalendarPicker", "f"), "2026-01-02", "2026-01-02"),
        (field("CalendarPicker", "f", mode="range"), {"start-date": "2026-01-02"}, {"start-date": "2026-01-02"}),
        (field("CalendarPicker", "f", mode="range"), {"start-date": "", "end-date": ""}, {}),
    ],
)
def test_filling(component: dict[str, Any], value: Any, held: Any) -> None:
    """A text field takes the text; a TextArea cuts it, a password takes no emoji, a calendar takes one or two days."""
    session = one(component)
    assert form(played(session, Fill(at(session, "f"), value)).session) == {"f": held}


@pytest.mark.parametrize(
    ("component", "value", "kind"),
    [
        (field("Dropdown", "f", **{"data-source": OPTIONS}), "a", "no-such-field"),
        ({"type": "TextBody", "text": "f"}, "a", "no-such-field"),
        (field("TextInput", "f"), {"start-date": "2026-01-02"}, "not-offered"),
        (field("TextInput", "f"), 5, "not-offered"),
        (field("TextInput", "f"), "x" * 100_001, "not-offered"),
        (field("CalendarPicker", "f", mode="range"), "2026-01-02", "not-offered"),
        (field("CalendarPicker", "f", mode="range"), {"from": "2026-01-02"}, "not-offered"),
        (field("TextInput", "f", visible=False), "a", "not-tappable"),
        (field("TextInput", "f", enabled=False), "a", "not-tappable"),
        ({"type": "If", "condition": "${data.b}", "then": [field("TextInput", "f")]}, "a", "not-tappable"),
    ],
)
def test_what_cannot_be_filled(component: dict[str, Any], value: Any, kind: str) -> None:
    """What is hidden, disabled or no text field takes nothing."""
    session = one(component, data={"b": BOOLEAN})
    path = session.flow.screens["A"].layout.components[0].path
    assert refused(session, Fill(path, value)).kind == kind


def test_a_component_of_another_screen_is_not_there() -> None:
    """A path that is not on the screen is no field."""
    session = one(field("TextInput", "f"))
    assert refused(session, Fill("/screens/1/layout/children/0", "x")).kind == "no-such-field"
    assert refused(session, Tap("")).kind == "no-such-field"


def test_a_field_is_touched_when_it_is_left() -> None:
    """While it has the focus it is not; using another component leaves it, as blur does."""
    session = one(field("TextInput", "f"), field("TextInput", "g"), field("OptIn", "o"))
    f, g, o = (at(session, name) for name in "fgo")
    session = played(session, Fill(f, "x")).session
    assert (session.focused, session.screens["A"].touched) == (f, frozenset())
    blurred = played(session, Blur(f)).session
    assert (blurred.focused, blurred.screens["A"].touched) == ("", frozenset({f}))
    session = played(session, Fill(g, "x")).session
    assert (session.focused, session.screens["A"].touched) == (g, frozenset({f}))
    session = played(session, Select(o)).session
    assert (session.focused, session.screens["A"].touched) == ("", frozenset({f, g, o}))


def test_consecutive_fills_of_a_field_are_one_event() -> None:
    """Each key press is an event; only the last text of a field is recorded."""
    session = one(field("TextInput", "f"), field("TextInput", "g"))
    f, g = at(session, "f"), at(session, "g")
    session = played(session, Fill(f, "a"), Fill(f, "ab"), Fill(g, "x"), Fill(f, "abc")).session
    assert session.events == (Fill(f, "ab"), Fill(g, "x"), Fill(f, "abc"))


# -- selections


@pytest.mark.parametrize(
    ("kind", "picks", "held"),
    [
        ("RadioButtonsGroup", [("a", True), ("b", True)], "b"),
        ("Dropdown", [("a", True), ("b", True), ("b", False)], ""),
        ("Dropdown", [("a", True), ("b", False)], "a"),
        ("CheckboxGroup", [("b", True), ("a", True)], ("b", "a")),
        ("ChipsSelector", [("b", True), ("a", True), ("b", False)], ("a",)),
        ("CheckboxGroup", [("b", True), ("b", True)], ("b",)),
    ],
)
def test_selecting(kind: str, picks: list[tuple[str, bool]], held: Any) -> None:
    """A group holds ids in the order in which they were selected, a choice holds one."""
    session = one(field(kind, "f", **{"data-source": OPTIONS}))
    events = [Select(at(session, "f"), option, selected) for option, selected in picks]
    assert form(played(session, *events).session) == {"f": held}


def test_an_opt_in_has_no_value_once_it_is_unchecked() -> None:
    """Ticked it is true, unticked it is null."""
    session = one(field("OptIn", "f"), footer(complete(f="${form.f}")))
    f = at(session, "f")
    session = played(session, Select(f)).session
    assert form(session) == {"f": True}
    session = played(session, Select(f, selected=False)).session
    assert form(session) == {"f": None}
    step = played(session, Tap(at(session, "Footer")))
    assert step.effects == (Complete(payload={"f": None, "flow_token": "preview"}),)


@pytest.mark.parametrize(
    ("component", "option", "kind"),
    [
        (field("Dropdown", "f", **{"data-source": OPTIONS}), "z", "not-offered"),
        (field("Dropdown", "f", **{"data-source": "nothing"}), "a", "not-offered"),
        (field("TextInput", "f"), "a", "no-such-field"),
        (field("Dropdown", "f", **{"data-source": [{"id": "a", "title": "A", "enabled": False}]}), "a", "not-tappable"),
        (field("OptIn", "f", visible=False), "", "not-tappable"),
    ],
)
def test_what_cannot_be_selected(component: dict[str, Any], option: str, kind: str) -> None:
    """Only what is offered, and enabled, can be selected."""
    session = one(component)
    assert refused(session, Select(at(session, "f"), option)).kind == kind


def test_no_more_than_max_selected_items_can_be_selected() -> None:
    """At the maximum the other options are disabled, the selected ones can be deselected."""
    session = one(field("CheckboxGroup", "f", **{"data-source": OPTIONS, "max-selected-items": 2}))
    f = at(session, "f")
    session = played(session, Select(f, "a"), Select(f, "b")).session
    assert refused(session, Select(f, "c")).kind == "not-tappable"
    assert form(played(session, Select(f, "a", False), Select(f, "c")).session) == {"f": ("b", "c")}


def selecting(action: Mapping[str, Any] | None, **more: Any) -> dict[str, Any]:
    actions = {} if action is None else {"on-select-action": action}
    return field("CheckboxGroup", "f", **{"data-source": OPTIONS, **actions, **more})


def test_without_an_unselect_action_the_select_action_fires_both_times() -> None:
    """Each time the endpoint gets the value as it is then."""
    played_flow = with_endpoint(screen("A", selecting(exchange(f="${form.f}"))), routes={"A": []})
    session = opened(played_flow)
    f = at(session, "f")
    step = played(session, Select(f, "a"))
    assert (asked(step).data, asked(step).path) == ({"f": ["a"]}, f)
    session = played(step.session, Answer(number=1, content={"screen": "A", "data": {}})).session
    assert asked(played(session, Select(f, "a", False))).data == {"f": []}


def test_an_unselect_action_fires_when_an_option_is_deselected() -> None:
    """The select action does not."""
    session = one(
        selecting(update(x="on"), **{"on-unselect-action": update(x="off")}), data={"x": TEXT}
    )  # fmt: skip
    f = at(session, "f")
    session = played(session, Select(f, "a")).session
    assert data(session) == {"x": "on"}
    assert data(played(session, Select(f, "a", False)).session) == {"x": "off"}


@pytest.mark.parametrize("kind", ["RadioButtonsGroup", "CheckboxGroup", "ChipsSelector"])
def test_items_have_actions_of_their_own(kind: str) -> None:
    """They stand in the items, also where those come from data."""
    items = [
        {
            "id": each,
            "title": each,
            "on-select-action": update(**{each: "on"}),
            "on-unselect-action": update(**{each: "off"}),
        }
        for each in "ab"
    ]
    model = {"a": TEXT, "b": TEXT, "l": {**LIST, "__example__": items}}
    for source in (items, "${data.l}"):
        session = one(field(kind, "f", **{"data-source": source}), data=model)
        f = at(session, "f")
        session = played(session, Select(f, "a")).session
        assert (data(session)["a"], data(session)["b"]) == ("on", "x")
        after = "off" if kind == "RadioButtonsGroup" else "on"
        session = played(session, Select(f, "b")).session
        assert (data(session)["a"], data(session)["b"]) == (after, "on")


def test_an_opt_in_fires_when_it_is_ticked_and_unticked() -> None:
    """on-select-action and on-unselect-action."""
    actions = {"on-select-action": update(x="on"), "on-unselect-action": update(x="off")}
    session = one(field("OptIn", "f", **actions), data={"x": TEXT})
    session = played(session, Select(at(session, "f"))).session
    assert data(session) == {"x": "on"}
    assert data(played(session, Select(at(session, "f"), selected=False)).session) == {"x": "off"}


def test_choosing_a_date_fires() -> None:
    """A DatePicker asks the endpoint when a date is chosen, not when the same one is chosen again."""
    picker = field("DatePicker", "f", **{"on-select-action": exchange(f="${form.f}")})
    session = opened(with_endpoint(screen("A", picker), routes={"A": []}))
    step = played(session, Fill(at(session, "f"), "2026-01-02"))
    assert asked(step).data == {"f": "2026-01-02"}
    session = played(step.session, Answer(number=1, content={"screen": "A", "data": {}})).session
    assert played(session, Fill(at(session, "f"), "2026-01-02")).effects == ()


@pytest.mark.parametrize(("version", "fires"), [("5.1", False), ("6.0", True), ("6.3", True), ("7.0", False)])
def test_select_actions_fire_on_the_first_render_in_6_x(version: str, fires: bool) -> None:
    """From 6.0 until 7.0 the component's action fires when its screen is opened for the first time."""
    played_flow = flow(
        screen("A", selecting(update(x="fired")), footer(navigate("B")), data={"x": TEXT}),
        screen("B", selecting(update(x="hidden"), visible=False), data={"x": TEXT}),
        version=version,
    )
    session = opened(played_flow)
    assert data(session) == {"x": "fired" if fires else "x"}


def test_a_first_render_may_ask_the_endpoint() -> None:
    """The first action that asks leaves the others out, and the Flow is loading."""
    played_flow = with_endpoint(
        screen("A", selecting(exchange(n=1)), selecting(exchange(n=2))), routes={"A": []}, version="6.0"
    )
    session = opened(played_flow)
    assert session.pending is not None
    assert session.pending.data == {"n": 1}
    after = played(session, Answer(number=1, content={"screen": "A", "data": {}}))
    assert (after.effects, after.session.pending) == ((), None)


@pytest.mark.parametrize(
    ("payload", "path"),
    [({"z": "x"}, "/z"), ({"x": 5}, "/x"), ({"l": [{"id": 5}]}, "/l/0/id")],
    ids=["a key outside the data model", "a wrong type", "inside of a list"],
)
def test_update_data_keeps_to_the_data_model(payload: dict[str, Any], path: str) -> None:
    """What does not fit is refused as a whole."""
    session = one(selecting(update(**payload)), data={"x": TEXT, "l": LIST})
    step = played(session, Select(at(session, "f"), "a"))
    (effect,) = step.effects
    assert isinstance(effect, Broken)
    assert (effect.key, effect.path) == ("payload-schema-error", f"{at(session, 'f')}/on-select-action/payload{path}")
    assert data(step.session) == data(session)


# -- taps


def test_links_open_pages_and_screens() -> None:
    """An EmbeddedLink and the "Read more" of an OptIn: open_url and navigate."""
    url = {"name": "open_url", "url": "${data.u}"}
    session = opened(
        flow(
            screen(
                "A",
                {"type": "EmbeddedLink", "text": "l", "on-click-action": url},
                field("OptIn", "o", **{"on-click-action": navigate("B")}),
                data={"u": {"type": "string", "__example__": "https://example.com"}},
            ),
            screen("B"),
        )
    )
    step = played(session, Tap(at(session, "EmbeddedLink")))
    assert step.effects == (OpenUrl("https://example.com", at(session, "EmbeddedLink")),)
    assert step.session.screen == "A"
    assert played(session, Tap(at(session, "o"))).session.screen == "B"


@pytest.mark.parametrize("component", [field("OptIn", "f"), field("TextInput", "f"), {"type": "Image", "src": ""}])
def test_what_cannot_be_tapped(component: dict[str, Any]) -> None:
    """An OptIn without an action has nothing to read; fields are not tapped."""
    session = one(component)
    path = session.flow.screens["A"].layout.components[0].path
    assert refused(session, Tap(path)).kind == "not-tappable"


def test_the_items_of_a_navigation_list() -> None:
    """Each item is tapped by its id; its own action goes before that of the list; a disabled one cannot be tapped."""
    items: list[dict[str, Any]] = [{"id": each, "main-content": {"title": each}} for each in "abc"]
    items[1]["on-click-action"] = navigate("B", x="b")
    items[2]["enabled"] = False
    played_flow = flow(
        screen("A", {"type": "NavigationList", "name": "l", "list-items": items, "on-click-action": navigate("C")}),
        screen("B", data={"x": TEXT}),
        screen("C"),
    )
    session = opened(played_flow)
    path = at(session, "l")
    step = played(session, Tap(path, "a"))
    assert (step.session.screen, step.session.screens["A"].form) == ("C", {"l": "a"})
    assert played(session, Tap(path, "b")).session.screens["B"].data == {"x": "b"}
    assert refused(session, Tap(path, "c")).kind == "not-tappable"
    assert refused(session, Tap(path, "z")).kind == "not-offered"
    assert refused(session, Tap(path)).kind == "not-offered"


def test_a_footer_needs_valid_fields_and_says_which_are_not() -> None:
    """Fields that are hidden, or stand in a branch that is not taken, do not count."""
    hidden = field("TextInput", "hidden", required=True, visible=False)
    other = {"type": "If", "condition": "${form.name} == 'x'", "then": [field("TextInput", "more", required=True)]}
    session = one(field("TextInput", "name", required=True), hidden, other, footer(complete()))
    tap = Tap(at(session, "Footer"))
    assert "'name'" in refused(session, tap).message
    assert "hidden" not in refused(session, tap).message
    filled = played(session, Fill(at(session, "name"), "Ada")).session
    assert played(filled, tap).session.end is not None
    filled = played(session, Fill(at(session, "name"), "x")).session
    assert "'more'" in refused(filled, tap).message


def test_the_footer_of_the_branch_that_is_shown() -> None:
    """That of the other branch cannot be tapped."""
    branches = {"then": [footer(complete(b=1))], "else": [footer(complete(b=2))]}
    session = one({"type": "If", "condition": "${data.b}", **branches}, data={"b": BOOLEAN})
    then, otherwise = (component.path for component in session.flow.screens["A"].layout.components)
    assert refused(session, Tap(then)).kind == "not-tappable"
    assert played(session, Tap(otherwise)).effects == (Complete(payload={"b": 2, "flow_token": "preview"}),)


@pytest.mark.parametrize(
    ("version", "value", "handed_on"),
    [
        ("5.0", "2026-01-02", "2026-01-02"),
        ("4.0", "2026-01-02", "1767312000000"),
        ("4.0", "1767312000000", "1767312000000"),
        ("4.0", "no date", "no date"),
    ],
)
def test_a_date_was_handed_on_in_milliseconds(version: str, value: str, handed_on: str) -> None:
    """Before 5.0, the payload has them as a text."""
    session = one(field("DatePicker", "f"), {"type": "TextBody", "text": "x"}, version=version)
    session = played(session, Fill(at(session, "f"), value)).session
    assert form(session) == {"f": value}
    reference = parse_reference("${form.f}")
    assert reference is not None
    assert Scope(session.flow, session.screens, "A").find(reference).value == handed_on


def test_a_date_of_a_shared_name_is_handed_on_as_a_date() -> None:
    """The kind of the field that has the value counts, not that of the first one with its name."""
    group = field("CheckboxGroup", "f", **{"data-source": OPTIONS})
    branches = {"type": "If", "condition": "${data.b}", "then": [group], "else": [field("DatePicker", "f")]}
    session = one(branches, footer(complete(f="${form.f}")), data={"b": BOOLEAN}, version="4.0")
    session = played(session, Fill(at(session, "DatePicker"), "2026-01-02"), Tap(at(session, "Footer"))).session
    assert session.end == Complete(payload={"f": "1767312000000", "flow_token": "preview"})


# -- files


PHOTO = UploadedFile(name="a.png", mime_type="image/png", size=5)


def test_files_in_payloads() -> None:
    """For the endpoint they are still files; the message has what a webhook gets of each."""
    picker = field("PhotoPicker", "p")
    session = opened(with_endpoint(screen("A", picker, footer(exchange(p="${form.p}"))), routes={"A": []}))
    step = played(session, Upload(at(session, "p"), (PHOTO,)), Tap(at(session, "Footer")))
    assert asked(step).data == {"p": (PHOTO,)}
    session = one(picker, footer(complete(p="${form.p}", none="${form.p}")))
    step = played(session, Upload(at(session, "p"), (PHOTO,)), Tap(at(session, "Footer")))
    (end,) = step.effects
    assert isinstance(end, Complete)
    (file,) = end.payload["p"]
    assert (file["file_name"], file["mime_type"]) == ("a.png", "image/png")
    assert (len(file["sha256"]), file["id"].isdecimal()) == (44, True)


def test_no_files_are_an_empty_list() -> None:
    """In both payloads."""
    session = one(field("DocumentPicker", "p"), footer(complete(p="${form.p}")))
    assert played(session, Tap(at(session, "Footer"))).effects == (
        Complete(payload={"p": [], "flow_token": "preview"}),
    )


@pytest.mark.parametrize("state", ["running", "failed"])
def test_an_upload_that_is_not_done_blocks_the_footer(state: Any) -> None:
    """Until it is replaced."""
    session = one(field("PhotoPicker", "p"), footer(complete()))
    path = at(session, "p")
    blocked = played(session, Upload(path, (UploadedFile(name="a.png", state=state),))).session
    assert refused(blocked, Tap(at(session, "Footer"))).kind == "not-tappable"
    assert played(blocked, Upload(path, ()), Tap(at(session, "Footer"))).session.end is not None


@pytest.mark.parametrize(
    ("component", "files", "kind"),
    [
        (field("TextInput", "f"), (PHOTO,), "no-such-field"),
        (field("PhotoPicker", "f"), [PHOTO], "not-offered"),
        (field("PhotoPicker", "f"), ("a.png",), "not-offered"),
        (field("PhotoPicker", "f"), (PHOTO,) * 101, "not-offered"),
        (field("PhotoPicker", "f"), (UploadedFile(name=cast("Any", 5)),), "not-offered"),
        (field("PhotoPicker", "f"), (UploadedFile(name="a", mime_type=cast("Any", [])),), "not-offered"),
        (field("PhotoPicker", "f"), (UploadedFile(name="a", size=cast("Any", "1")),), "not-offered"),
        (field("PhotoPicker", "f"), (UploadedFile(name="a", size=cast("Any", float("nan"))),), "not-offered"),
        (field("PhotoPicker", "f"), (UploadedFile(name="a", size=-1),), "not-offered"),
        (field("PhotoPicker", "f"), (UploadedFile(name="a", state=cast("Any", "lost")),), "not-offered"),
        (field("PhotoPicker", "f"), (UploadedFile(name="a", state=cast("Any", [])),), "not-offered"),
        (field("PhotoPicker", "f"), (UploadedFile(name="a", sha256=cast("Any", b"x")),), "not-offered"),
        (field("PhotoPicker", "f", enabled=False), (PHOTO,), "not-tappable"),
    ],
)
def test_what_cannot_be_uploaded(component: dict[str, Any], files: Any, kind: str) -> None:
    """Files go to a picker, at most 100 of them, and what tells of them is of the right types."""
    session = one(component)
    assert refused(session, Upload(at(session, "f"), files)).kind == kind


# -- what data makes of a form


def test_a_value_that_is_no_longer_offered_is_reset() -> None:
    """To "" or to what is left of a group, when update_data or an answer changes the options."""
    model = {"l": LIST, "x": TEXT}
    fields = [
        field("Dropdown", "d", **{"data-source": "${data.l}"}),
        field("CheckboxGroup", "c", **{"data-source": "${data.l}"}),
    ]
    switch = field("OptIn", "o", **{"on-select-action": update(l=[OPTIONS[1]])})
    session = one(*fields, switch, data=model)
    d, c = at(session, "d"), at(session, "c")
    session = played(session, Select(d, "a"), Select(c, "a"), Select(c, "b"), Select(at(session, "o"))).session
    assert form(session) == {"d": "", "c": ("b",), "o": True}


@pytest.mark.parametrize(
    ("kind", "initial", "reason"),
    [("Dropdown", "z", "not-offered"), ("RadioButtonsGroup", "z", ""), ("CheckboxGroup", ["a", "z"], "")],
)
def test_an_initial_value_that_was_never_offered_is_kept(kind: str, initial: Any, reason: str) -> None:
    """A Dropdown finds it invalid, other fields do not look; it is gone when the options change, not before."""
    switch = field("OptIn", "o", **{"on-select-action": update(x="new"), "on-unselect-action": update(l=OPTIONS[:1])})
    fields = field(kind, "f", **{"data-source": "${data.l}", "init-value": initial}), field("TextInput", "t")
    session = one(*fields, switch, data={"l": LIST, "x": TEXT})
    held = tuple(initial) if isinstance(initial, list) else initial
    used = played(session, Fill(at(session, "t"), "a"), Select(at(session, "o"))).session
    node = view(used).named("f")
    assert node is not None
    assert (form(used)["f"], node.value, node.invalid) == (held, held, reason)
    changed = played(used, Select(at(session, "o"), selected=False)).session
    assert form(changed)["f"] == (("a",) if isinstance(held, tuple) else "")


@pytest.mark.parametrize("direct", [True, False])
def test_options_that_come_from_another_screen_reset_too(direct: bool) -> None:
    """What is selected is gone when the other screen's data no longer offer it, or switch to another branch."""
    other = field("Dropdown", "f", **{"data-source": [{"id": "z", "title": "Z"}]})
    fields = [field("Dropdown", "f", **{"data-source": "${screen.A.data.l}" if direct else OPTIONS})]
    branches = {"type": "If", "condition": "${screen.A.data.b}", "then": [other], "else": fields}
    link = {"type": "EmbeddedLink", "text": "x", "on-click-action": update(l=OPTIONS[1:], b=not direct)}
    session = opened(
        flow(
            screen("A", link, footer(navigate("B")), data={"l": LIST, "b": BOOLEAN}),
            screen("B", *fields if direct else (branches,), footer(complete()), terminal=True),
        )
    )
    following = Tap(at(session, "Footer"))
    select = Select("/screens/1/layout/children/0" + ("" if direct else "/else/0"), "a")
    back = played(session, following, select, Back()).session
    assert form(played(back, following).session) == {"f": "a"}
    assert form(played(back, Tap(at(back, "EmbeddedLink")), following).session) == {"f": ""}


def test_the_options_of_a_hidden_branch_reset_nothing_of_the_other() -> None:
    """Where two branches have a field of one name, the options of the shown one count."""
    two = field("Dropdown", "f", **{"data-source": [{"id": "z", "title": "Z"}]})
    branches = {"type": "If", "condition": "${data.b}", "then": [two], "else": [field("TextInput", "f")]}
    switch = field("OptIn", "o", **{"on-select-action": update(x="new"), "on-unselect-action": update(b=True)})
    session = one(branches, switch, data={"b": BOOLEAN, "x": TEXT})
    o = at(session, "o")
    session = played(session, Fill("/screens/0/layout/children/0/else/0", "mine"), Select(o)).session
    assert form(session)["f"] == "mine"
    assert form(played(session, Select(o, selected=False)).session)["f"] == ""


@pytest.mark.parametrize("kind", ["Dropdown", "RadioButtonsGroup", "CheckboxGroup"])
@pytest.mark.parametrize("switch", [field("TextInput", "t"), field("Dropdown", "t", **{"data-source": OPTIONS})])
def test_a_value_that_switches_the_branch_resets_what_the_other_does_not_offer(
    kind: str, switch: dict[str, Any]
) -> None:
    """What is selected in one branch is not handed on by a field of the same name in another, nor on the way back."""
    there, here = ([{"id": each, "title": each}, {"id": "z", "title": "Z"}] for each in "xy")
    fields = [field(kind, "f", required=True, **{"data-source": options}) for options in (there, here)]
    branches = {"type": "If", "condition": "${form.t} == 'b'", "then": [fields[0]], "else": [fields[1]]}
    session = one(switch, branches, footer(complete(f="${form.f}")))
    t, f = at(session, "t"), "/screens/0/layout/children/1/else/0"

    def switched(before: Session, value: str) -> Session:
        return played(before, Fill(t, value) if switch["type"] == "TextInput" else Select(t, value)).session

    selected = played(session, Select(f, "y")).session
    lost = switched(selected, "b")
    assert not form(lost)["f"]
    assert refused(lost, Tap(at(lost, "Footer"))).kind == "not-tappable"
    again = switched(switched(lost, "a"), "c")
    assert not form(again)["f"]
    assert replayed(again) == again
    both = switched(played(session, Select(f, "z")).session, "b")
    assert form(both)["f"] in ("z", ("z",))


def test_a_field_that_is_reset_may_switch_a_branch_too() -> None:
    """All that is no longer offered is reset, one after the other."""

    def branch(condition: str, name: str, *options: str) -> dict[str, Any]:
        sources = ([{"id": each, "title": each}] for each in options)
        then, otherwise = ([field("Dropdown", name, **{"data-source": source})] for source in sources)
        return {"type": "If", "condition": condition, "then": then, "else": otherwise}

    second, first = branch("${form.f} == 'x'", "g", "v", "w"), branch("${form.o}", "f", "y", "x")
    session = one(second, first, field("OptIn", "o"))
    f, g = "/screens/0/layout/children/1/else/0", "/screens/0/layout/children/0/then/0"
    session = played(session, Select(f, "x"), Select(g, "v"), Select(at(session, "o"))).session
    assert form(session) == {"f": "", "g": "", "o": True}


def test_one_event_resets_a_limited_number_of_fields() -> None:
    """A chain of branches that is longer than a screen may be is followed in part, and the session replays."""
    x, y = ([{"id": each, "title": each}] for each in "xy")
    branches = [
        {"type": "If", "condition": "${form.o}" if i == 0 else f"${{form.f{i - 1}}} == 'x'",
         "then": [field("Dropdown", f"f{i}", **{"data-source": x})],
         "else": [field("Dropdown", f"f{i}", **{"data-source": y})]}
        for i in range(52)
    ]  # fmt: skip
    session = played(one(field("OptIn", "o"), *branches), Select("/screens/0/layout/children/0")).session
    path = "/screens/0/layout/children/{}/then/0"
    session = played(session, *(Select(path.format(i + 1), "x") for i in range(52))).session
    session = played(session, Select("/screens/0/layout/children/0", selected=False)).session
    assert [form(session)[f"f{i}"] for i in (0, 49, 50, 51)] == ["", "", "x", "x"]
    assert replayed(session) == session


INIT = {"init-value": "${data.x}"}


def test_initial_values_of_components() -> None:
    """Without a Form each component has its own, also in an If and a Switch; those that do not fit are left out."""
    branch = {"type": "If", "condition": "${data.b}", "then": [field("TextInput", "hidden", **INIT)]}
    case = {"type": "Switch", "value": "${data.x}", "cases": {"x": [field("TextArea", "case", **INIT)]}}
    session = one(
        field("TextInput", "t", **INIT),
        field("TextInput", "n", **{"init-value": 5, "input-type": "number"}),
        field("CheckboxGroup", "c", **{"data-source": OPTIONS, "init-value": ["b"]}),
        field("Dropdown", "d", **{"data-source": OPTIONS, "init-value": "z"}),
        field("OptIn", "o", **{"init-value": True}),
        field("CalendarPicker", "r", mode="range", **{"init-value": {"start-date": "2026-01-02", "x": "y"}}),
        field("TextInput", "wrong", **{"init-value": ["x"]}),
        branch,
        case,
        data={"x": TEXT, "b": BOOLEAN},
    )
    assert form(session) == {
        "t": "x", "n": "5", "c": ("b",), "d": "z", "o": True, "r": {"start-date": "2026-01-02"}, "hidden": "x",
        "case": "x",
    }  # fmt: skip


def test_the_first_form_gives_the_initial_values() -> None:
    """Those of a later Form, and of the components themselves, do not count."""
    first = {
        "type": "Form",
        "name": "1",
        "init-values": {"a": "one", "b": "${data.x}"},
        "children": [field("TextInput", "a")],
    }
    second = {"type": "Form", "name": "2", "init-values": {"b": "two"}, "children": [field("TextInput", "b")]}
    session = one(first, second, field("TextInput", "c", **INIT), data={"x": TEXT})
    assert form(session) == {"a": "one", "b": "x"}


def test_initial_values_may_be_one_reference() -> None:
    """To an object with the names of the fields."""
    model = {"v": {"type": "object", "properties": {"a": {"type": "string"}}, "__example__": {"a": "one"}}}
    children = [field("TextInput", "a"), field("TextInput", "b")]
    session = one({"type": "Form", "name": "f", "init-values": "${data.v}", "children": children}, data=model)
    assert form(session) == {"a": "one"}


def test_a_changed_initial_value_replaces_what_nobody_has_touched() -> None:
    """What the user has entered stays."""
    switch = field("OptIn", "o", **{"on-select-action": update(x="new")})
    session = one(field("TextInput", "a", **INIT), field("TextInput", "b", **INIT), switch, data={"x": TEXT})
    session = played(session, Fill(at(session, "a"), "mine"), Select(at(session, "o"))).session
    assert form(session) == {"a": "mine", "b": "new", "o": True}


ERRORS = {"type": "object", "properties": {"a": {"type": "string"}}, "__example__": {}}


@pytest.mark.parametrize("messages", ["${data.e}", {"a": "${data.t}"}])
def test_an_error_of_the_server_stays_until_the_value_changes(messages: Any) -> None:
    """It comes with the data, and comes again when it is sent again."""
    form_ = {
        "type": "Form",
        "name": "f",
        "error-messages": messages,
        "children": [field("TextInput", "a"), footer(exchange())],
    }
    model = {"e": ERRORS, "t": {"type": "string", "__example__": ""}}
    session = opened(with_endpoint(screen("A", form_, data=model), routes={"A": []}))
    a = at(session, "a")
    assert session.screens["A"].refused == {}

    def answer(session: Session, **content: Any) -> Session:
        step = played(session, Tap(at(session, "Footer")))
        return played(step.session, Answer(number=asked(step).number, content={"screen": "A", "data": content})).session

    wrong = {"e": {"a": "Wrong."}, "t": "Wrong."}
    session = answer(session, **wrong)
    assert session.screens["A"].refused == {a: "Wrong."}
    assert played(session, Blur(a)).session.screens["A"].refused == {a: "Wrong."}
    assert answer(session).screens["A"].refused == {a: "Wrong."}
    assert played(session, Fill(a, "")).session.screens["A"].refused == {a: "Wrong."}
    session = played(session, Fill(a, "x")).session
    assert session.screens["A"].refused == {}
    session = played(session, Fill(a, "xy"), Fill(a, "")).session
    assert session.screens["A"].refused == {}
    assert replayed(session) == session
    session = answer(played(session, Fill(a, "x"), Fill(a, "xy")).session, **wrong)
    assert session.screens["A"].refused == {a: "Wrong."}
    assert replayed(session) == session
    assert answer(session, e={}, t="").screens["A"].refused == {}


def test_a_version_without_a_property_does_not_take_it() -> None:
    """A component has an initial value and an error of its own from 4.0 on; an If is none before that."""
    name = field("TextInput", "t", **{"init-value": "x", "error-message": "Wrong."})
    branch = {"type": "If", "condition": "${data.b}", "then": [field("TextInput", "f")]}
    old, new = (opened(flow(screen("A", name, branch, data={"b": BOOLEAN}), version=each)) for each in ("3.1", "4.0"))
    assert [dict(each.screens["A"].form) for each in (old, new)] == [{}, {"t": "x"}]
    assert [dict(each.screens["A"].refused) for each in (old, new)] == [{}, {at(new, "t"): "Wrong."}]
    assert [node.kind for node in view(old).nodes] == ["TextInput", "If"]
    assert [issue.text for issue in view(old).nodes[1].issues] == ["There is no If in this version of Flow JSON."]
    assert [node.kind for node in view(new).nodes] == ["TextInput", "TextInput"]


def test_errors_of_components_without_a_form() -> None:
    """Each has its own, also in branches; a range has two texts, a picker one for each file."""
    texts = {"start-date": "Too early.", "end-date": "Too late."}
    branch = {
        "type": "If",
        "condition": "${data.b}",
        "then": [field("TextInput", "t", **{"error-message": "${data.x}"})],
    }
    session = one(
        branch, field("CalendarPicker", "c", mode="range", **{"error-message": texts}), data={"x": TEXT, "b": BOOLEAN}
    )
    assert session.screens["A"].refused == {at(session, "t"): "x", at(session, "c"): "Too early. Too late."}


def test_the_parts_of_a_range_can_be_referred_to() -> None:
    """`${form.range.start-date}`; a part that is not there leads to nothing."""
    session = one(
        field("CalendarPicker", "r", mode="range"),
        footer(complete(start="${form.r.start-date}", end="${form.r.end-date}", part="${form.r.x.y}")),
    )
    session = played(session, Fill(at(session, "r"), {"start-date": "2026-01-02"})).session
    assert played(session, Tap(at(session, "Footer"))).effects == (
        Complete(payload={"start": "2026-01-02", "flow_token": "preview"}),
    )


def test_components_of_one_name_in_two_branches() -> None:
    """They share the value if they are of one kind; those of another kind do not take it."""
    text, group = field("TextInput", "f"), field("CheckboxGroup", "f", **{"data-source": OPTIONS})
    switch = field("OptIn", "o", **{"on-select-action": update(b=True)})
    branches = {"type": "If", "condition": "${data.b}", "then": [group], "else": [text]}
    session = one(branches, switch, footer(complete(f="${form.f}")), data={"b": BOOLEAN})
    session = played(session, Fill("/screens/0/layout/children/0/else/0", "x"), Select(at(session, "o"))).session
    group_path = "/screens/0/layout/children/0/then/0"
    assert view(session).node(group_path).value == ()  # type: ignore[union-attr]
    session = played(session, Select(group_path, "a"), Tap(at(session, "Footer"))).session
    assert session.end == Complete(payload={"f": ["a"], "flow_token": "preview"})


def test_a_limit_that_depends_on_the_value_keeps_each_fill() -> None:
    """The session that is replayed would differ otherwise."""
    area = field("TextArea", "f", **{"max-length": "`${form.n} + 1`"})
    session = one(area, field("TextInput", "n"))
    session = played(session, Fill(at(session, "f"), "ab"), Fill(at(session, "f"), "cd")).session
    assert (form(session), len(session.events)) == ({"f": "c"}, 2)


def test_a_footer_waits_for_the_data_of_the_next_screen() -> None:
    """A navigate whose payload leads to nothing cannot be tapped."""
    played_flow = flow(screen("A", footer(navigate("B", x="${data.missing}"))), screen("B", data={"x": TEXT}))
    session = opened(played_flow)
    assert "data for the next screen" in refused(session, Tap(at(session, "Footer"))).message


@pytest.mark.parametrize("kind", ["Slider", "ChipsSelector"])
def test_what_is_no_component_of_the_version_is_not_played(kind: str) -> None:
    """It is there, and cannot be used."""
    session = one({"type": kind, "name": "f", "data-source": OPTIONS}, version="6.0")
    assert refused(session, Select(at(session, "f"), "a")).kind == "not-tappable"


def test_global_references_read_the_other_screens() -> None:
    """`${screen.ID.form.x}` gives what is entered there, a number too; and `${screen.ID.data.x}` its data."""
    number = field("TextInput", "n", **{"input-type": "number"})
    played_flow = flow(
        screen("A", number, footer(navigate("B")), data={"x": TEXT}),
        screen("B", footer(complete(n="${screen.A.form.n}", x="${screen.A.data.x}", none="${screen.C.form.n}"))),
    )
    session = opened(played_flow)
    session = played(session, Fill(at(session, "n"), "5"), Tap(at(session, "Footer"))).session
    assert played(session, Tap(at(session, "Footer"))).effects == (
        Complete(payload={"n": "5", "x": "x", "flow_token": "preview"}),
    )
    assert played(session, Back()).session.screen == "A"
