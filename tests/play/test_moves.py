"""From screen to screen: navigate, back, the answers of an endpoint, the end."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import pytest

from tests.play.small_flows import (
    LIST,
    NUMBER,
    TEXT,
    TODAY,
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
    with_endpoint,
)
from whatsapp_flows.play import (
    Answer,
    AskEndpoint,
    Back,
    Broken,
    Complete,
    Fill,
    PlayedFlow,
    Refused,
    Session,
    Snackbar,
    Step,
    Tap,
    Upload,
    UploadedFile,
    advance,
    start,
)

NAME = field("TextInput", "name")


def tap(session: Session) -> Step:
    """Tap the Footer."""
    return played(session, Tap(at(session, "Footer")))


def answered(step: Step, content: Any) -> Step:
    """The step after the answer to the request of a step."""
    return played(step.session, Answer(number=asked(step).number, content=content))


def broken(step: Step) -> Broken:
    """The one reason why a client refuses what has happened."""
    (effect,) = step.effects
    assert isinstance(effect, Broken)
    return effect


# -- opening


def test_a_flow_opens_on_the_first_screen_to_which_no_other_leads() -> None:
    """Without a screen, the first entry screen opens, with the examples of its data model."""
    played_flow = flow(
        screen("B", footer(complete())),
        screen("A", footer(navigate("B")), data={"x": TEXT, "y": {"type": "string"}}),
    )
    session = opened(played_flow)
    assert (session.screen, session.history) == ("A", ("A",))
    assert session.screens["A"].data == {"x": "x"}


def test_the_routing_model_says_where_a_flow_opens() -> None:
    """With a routing model, its edges count and not the navigate actions."""
    routes = {"B": ["A"], "A": []}
    assert opened(with_endpoint(screen("A"), screen("B"), routes=routes)).screen == "B"


def test_a_flow_without_an_entry_opens_on_its_first_screen() -> None:
    """Where every screen is a destination, the first one opens."""
    assert opened(flow(screen("A", footer(navigate("B"))), screen("B", footer(navigate("A"))))).screen == "A"


def test_a_flow_opens_with_the_data_of_its_message() -> None:
    """Data that is given is all that the screen holds."""
    session = opened(flow(screen("A", data={"x": TEXT})), "A", data={"x": "given"})
    assert session.screens["A"].data == {"x": "given"}


@pytest.mark.parametrize(
    ("name", "data", "key"),
    [
        ("NONE", None, "no-such-screen"),
        ("A", {"x": 5}, "payload-schema-error"),
        ("A", {}, "payload-schema-error"),
        ("B", {"x": "x"}, "payload-schema-error"),
    ],
    ids=["an unknown screen", "a wrong type", "a missing key", "data for a screen without a data model"],
)
def test_a_flow_that_cannot_open_has_ended(name: str, data: dict[str, Any] | None, key: str) -> None:
    """What a client would not open gives a session that has ended, on no screen."""
    step = start(flow(screen("A", data={"x": TEXT}), screen("B")), name, data, today=TODAY)
    assert broken(step).key == key
    assert step.session.end == broken(step)
    assert step.session.screen == ""


def test_all_that_is_wrong_with_data_is_reported() -> None:
    """The session ends with the first of the reasons."""
    step = start(flow(screen("A", data={"x": TEXT, "n": NUMBER})), data={"x": 1, "n": "x"}, today=TODAY)
    assert [getattr(effect, "path", None) for effect in step.effects] == ["/data/x", "/data/n"]
    assert step.session.end == step.effects[0]


def test_the_day_of_a_time_is_meant() -> None:
    """A datetime is a date for Python, but the two are not compared."""
    step = start(flow(screen("A")), today=datetime(2026, 11, 30, 23, 59))
    assert type(step.session.today) is date
    assert step.session == start(flow(screen("A")), today=date(2026, 11, 30)).session


def test_a_flow_without_screens_has_ended() -> None:
    """A document without screens cannot open."""
    assert broken(start({"version": "7.3"}, today=TODAY)).key == "no-such-screen"


def test_init_asks_the_endpoint_for_the_screen() -> None:
    """With `init` there is no screen until the endpoint has answered."""
    played_flow = with_endpoint(screen("A", data={"x": TEXT}), screen("B"), routes={"A": ["B"], "B": []})
    step = start(played_flow, init=True, flow_token="token", today=TODAY)
    assert step.effects == (AskEndpoint(number=1, action="INIT", screen="", data={}, flow_token="token"),)
    assert step.session.screen == ""
    assert step.session.pending == step.effects[0]
    step = answered(step, {"screen": "A", "data": {"x": "from the endpoint"}})
    assert step.session.history == ("A",)
    assert step.session.screens["A"].data == {"x": "from the endpoint"}


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"screen": "B", "data": {}}, "invalid-screen-transition"),
        ({"screen": "A", "data": {}}, "payload-schema-error"),
    ],
    ids=["a screen to which others lead", "a missing key"],
)
def test_an_init_that_a_client_refuses_ends_the_flow(content: Any, key: str) -> None:
    """There is no screen to stay on."""
    played_flow = with_endpoint(screen("A", data={"x": TEXT}), screen("B"), routes={"A": ["B"], "B": []})
    step = answered(start(played_flow, init=True, today=TODAY), content)
    assert broken(step).key == key
    assert step.session.end == broken(step)


# -- navigate and back


def two_screens(**more: Any) -> PlayedFlow:
    return flow(
        screen("A", NAME, footer(navigate("B", name="${form.name}"))),
        screen("B", field("TextInput", "other"), footer(complete(name="${data.name}")), data={"name": TEXT}),
        **more,
    )


def test_a_form_survives_leaving_its_screen() -> None:
    """What was entered is there after going on and back, on both screens."""
    session = opened(two_screens())
    session = played(session, Fill(at(session, "name"), "Ada")).session
    session = tap(session).session
    assert (session.history, session.screens["B"].data) == (("A", "B"), {"name": "Ada"})
    session = played(session, Fill(at(session, "other"), "x"), Back()).session
    assert (session.history, session.screens["A"].form) == (("A",), {"name": "Ada"})
    session = tap(session).session
    assert session.screens["B"].form == {"other": "x"}


def test_navigate_merges_into_the_data_of_the_screen() -> None:
    """Keys that are not sent again keep their values; undeclared keys are tolerated."""
    played_flow = flow(
        screen("A", NAME, footer(navigate("B", x="${form.name}", more=1))),
        screen("B", data={"x": TEXT}),
    )
    session = opened(played_flow)
    session = tap(session).session
    session = played(session, Back(), Fill(session.flow.screens["A"].layout.components[0].path, "new")).session
    assert tap(session).session.screens["B"].data == {"x": "new", "more": 1}


def test_navigating_to_the_previous_screen_goes_back() -> None:
    """The history is popped, not extended."""
    played_flow = flow(
        screen("A", footer(navigate("B"))), screen("B", footer(navigate("C"))), screen("C", footer(navigate("B")))
    )
    session = tap(tap(opened(played_flow)).session).session
    assert session.history == ("A", "B", "C")
    assert tap(session).session.history == ("A", "B")


def test_navigating_to_an_older_screen_adds_to_the_history() -> None:
    """Only the screen just before is gone back to."""
    played_flow = flow(
        screen("A", footer(navigate("B"))), screen("B", footer(navigate("C"))), screen("C", footer(navigate("A")))
    )
    session = tap(tap(tap(opened(played_flow, "A")).session).session).session
    assert session.history == ("A", "B", "C", "A")


def test_going_back_from_the_first_screen_closes_the_flow() -> None:
    """No message is sent."""
    step = played(opened(two_screens()), Back())
    assert step.effects == (Complete(payload={}, sent=False),)
    assert step.session.end == step.effects[0]


@pytest.mark.parametrize(
    ("action", "key", "path"),
    [
        (navigate("NONE"), "no-such-screen", "/next/name"),
        ({"name": "navigate", "payload": {}}, "no-such-screen", "/next/name"),
        (navigate("B"), "payload-schema-error", "/payload"),
        (navigate("B", n="one", l=[]), "payload-schema-error", "/payload/n"),
        (navigate("A", n=1), "payload-schema-error", "/payload"),
        ({"name": "fly"}, "unplayable", ""),
        ("navigate", "unplayable", ""),
        ({"name": "open_url"}, "unplayable", "/url"),
        (complete(x=json.loads("[" * 200 + "]" * 200)), "unplayable", ""),
    ],
    ids=[
        "unknown screen",
        "no screen",
        "missing keys",
        "a wrong type",
        "no data model",
        "unknown action",
        "no action",
        "no URL",
        "nested too deeply",
    ],
)
def test_what_a_client_refuses_of_an_action(action: Any, key: str, path: str) -> None:
    """The user stays on the screen; the reason names the place in the document."""
    played_flow = flow(
        screen("A", {"type": "Footer", "label": "Go", "on-click-action": action}),
        screen("B", data={"n": NUMBER, "l": LIST}),
    )
    session = opened(played_flow, "A")
    step = tap(session)
    effect = broken(step)
    assert (effect.key, effect.path) == (key, f"/screens/0/layout/children/0/on-click-action{path}")
    assert (step.session.screen, step.session.end) == ("A", None)


@pytest.mark.parametrize(
    ("schema", "payload", "fits"),
    [(NUMBER, "${form.n}", False), (TEXT, "${form.n}", True), (NUMBER, "`${form.n} * 1`", True)],
    ids=["a number field", "a text field", "an expression for a number field"],
)
def test_the_value_of_a_number_input_is_handed_on_as_a_text(schema: Any, payload: str, fits: bool) -> None:
    """A number field of the next screen refuses it at run time, although the upload is accepted."""
    number = field("TextInput", "n", **{"input-type": "number"})
    played_flow = flow(screen("A", number, footer(navigate("B", n=payload))), screen("B", data={"n": schema}))
    session = opened(played_flow)
    step = played(session, Fill(at(session, "n"), "5"), Tap(at(session, "Footer")))
    assert (step.session.screen == "B") is fits
    assert [each.key for each in step.effects if isinstance(each, Broken)] == ([] if fits else ["payload-schema-error"])


def test_uploaded_files_are_not_handed_to_a_screen() -> None:
    """Files stand in the payload of complete and data_exchange alone."""
    played_flow = flow(
        screen("A", field("PhotoPicker", "p"), footer(navigate("B", p="${form.p}"))),
        screen("B", data={"p": {"type": "array", "items": {"type": "object"}, "__example__": []}}),
    )
    session = opened(played_flow)
    step = played(session, Upload(at(session, "p"), (UploadedFile(name="a.png"),)), Tap(at(session, "Footer")))
    assert broken(step).key == "payload-schema-error"


def test_the_screen_of_navigate_may_come_from_data() -> None:
    """A reference in `next.name` is followed."""
    played_flow = flow(screen("A", footer(navigate("${data.to}")), data={"to": TEXT}), screen("B"))
    assert tap(opened(played_flow, "A", data={"to": "B"})).session.screen == "B"


# -- the end


def test_complete_sends_its_payload_and_the_flow_token() -> None:
    """The payload has its references replaced; what leads to nothing is left out; actions in lists are as written."""
    payload = {
        "name": "${form.name}", "nested": {"list": ["${data.x}", 1]}, "nothing": "${data.y}",
        "items": [{"id": "1", "on-select-action": {"payload": {"x": "${form.name}"}}}], "text": "Dear ${form.name}",
    }  # fmt: skip
    session = opened(flow(screen("A", NAME, footer(complete(**payload)), data={"x": TEXT})), flow_token="token")
    step = played(session, Fill(at(session, "name"), "Ada"), Tap(at(session, "Footer")))
    expected = {
        "name": "Ada", "nested": {"list": ["x", 1]}, "flow_token": "token", "text": "Dear ${form.name}",
        "items": payload["items"],
    }  # fmt: skip
    assert step.effects == (Complete(payload=expected),)
    assert step.session.end == step.effects[0]


def test_nothing_happens_after_the_end() -> None:
    """Every event is refused."""
    step = tap(opened(flow(screen("A", footer(complete())))))
    after = advance(step.session, Back())
    assert after.session == step.session
    assert [type(each) for each in after.effects] == [Refused]


# -- the endpoint


def chain(*, refresh: bool = False, **more: Any) -> PlayedFlow:
    """A -> B -> C, each with a data model of one text and a Footer that asks the endpoint."""
    return with_endpoint(
        *(
            screen(name, NAME, footer(exchange(name="${form.name}")), data={"x": TEXT}, refresh_on_back=refresh)
            for name in "ABC"
        ),
        routes={"A": ["B"], "B": ["C"], "C": []},
        **more,
    )


def at_screen(played_flow: PlayedFlow, *names: str) -> Session:
    """A session that the endpoint has led to these screens, one after the other."""
    session = opened(played_flow, names[0])
    for name in names[1:]:
        session = answered(tap(session), {"screen": name, "data": {"x": name}}).session
    return session


def test_data_exchange_asks_the_endpoint_and_waits() -> None:
    """Until the answer comes the Flow is loading: whatever the user does is refused."""
    session = opened(chain(), flow_token="token")
    step = played(session, Fill(at(session, "name"), "Ada"), Tap(at(session, "Footer")))
    path = at(session, "Footer")
    request = AskEndpoint(
        number=1, action="data_exchange", screen="A", data={"name": "Ada"}, flow_token="token", path=path
    )
    assert step.effects == (request,)
    assert step.session.pending == request
    for event in (Back(), Tap(path), Fill(at(session, "name"), "x"), Answer(number=2)):
        refused = advance(step.session, event)
        assert refused.session == step.session
        assert [each.kind for each in refused.effects if isinstance(each, Refused)] == ["not-now"]


def test_an_answer_that_nobody_waits_for_is_refused() -> None:
    """There is no request that it could belong to."""
    (effect,) = advance(opened(chain()), Answer(number=1, content={})).effects
    assert isinstance(effect, Refused)


def test_an_answer_leads_along_a_route_and_merges_its_data() -> None:
    """The data that the screen has already stays."""
    session = at_screen(chain(), "A", "B")
    assert (session.history, session.screens["B"].data, session.pending) == (("A", "B"), {"x": "B"}, None)
    step = answered(tap(session), {"screen": "B", "data": {"more": 1}})
    assert step.session.screens["B"].data == {"x": "B", "more": 1}
    assert step.session.history == ("A", "B")


@pytest.mark.parametrize(
    ("path", "target", "history"),
    [
        (("A",), "B", ("A", "B")),
        (("A", "B"), "A", ("A",)),
        (("A", "B"), "B", ("A", "B")),
        (("A", "B", "C"), "A", None),
        (("A",), "C", None),
        (("A",), "NONE", None),
    ],
    ids=["forward", "back", "the same", "an ancestor", "past a screen", "unknown"],
)
def test_the_moves_of_an_answer(path: tuple[str, ...], target: str, history: tuple[str, ...] | None) -> None:
    """A route in either direction, or the same screen; anything else is an invalid transition."""
    session = at_screen(chain(), *path)
    step = answered(tap(session), {"screen": target, "data": {"x": "new"}})
    if history is not None:
        assert (step.effects, step.session.history) == ((), history)
    else:
        assert (broken(step).key, broken(step).path) == ("invalid-screen-transition", "/screen")
        assert (step.session.history, step.session.pending, step.session.end) == (session.history, None, None)


def test_an_answer_may_lead_to_an_ancestor_with_refresh_on_back() -> None:
    """An older screen needs no route if it has refresh_on_back."""
    step = answered(tap(at_screen(chain(refresh=True), "A", "B", "C")), {"screen": "A", "data": {"x": "new"}})
    assert step.session.history == ("A", "B", "C", "A")


def test_an_answer_to_a_navigation_list_leaves_the_screen() -> None:
    """The same screen is no valid move from a screen with a NavigationList."""
    item = {"id": "1", "main-content": {"title": "One"}}
    navigation = {
        "type": "NavigationList",
        "name": "l",
        "list-items": [item],
        "on-click-action": exchange(l="${form.l}"),
    }
    played_flow = with_endpoint(screen("A", navigation), screen("B"), routes={"A": ["B"], "B": []})
    session = opened(played_flow)
    step = played(session, Tap(at(session, "l"), "1"))
    assert asked(step).data == {"l": "1"}
    assert broken(answered(step, {"screen": "A", "data": {}})).key == "invalid-screen-transition"
    assert answered(step, {"screen": "B", "data": {}}).session.screen == "B"


def test_without_a_routing_model_a_navigation_list_leads_anywhere() -> None:
    """Unless there is an endpoint. A Flow opens at it if it is the only one."""
    items = field("NavigationList", "l", **{"list-items": [{"id": "1", "main-content": {"title": "One"}}]})
    lists = screen("A", {**items, "on-click-action": exchange()})
    played_flow = flow(screen("B"), lists, screen("C", field("TextInput", "t")))
    assert played_flow.entries == ("A",)
    assert played_flow.leads("A", "B")
    assert not played_flow.leads("A", "A")
    assert not flow(screen("B"), lists, data_api_version="3.0").leads("A", "B")
    assert flow(lists, screen("B"), {**lists, "id": "C"}).entries == ("A",)
    step = played(opened(played_flow, "A"), Tap("/screens/1/layout/children/0", "1"))
    assert answered(step, {"screen": "C", "data": {}}).session.screen == "C"


def test_another_kind_of_next_asks_the_endpoint() -> None:
    """A client takes `next` of another type than "screen" for an action of the endpoint."""
    action = {"name": "navigate", "next": {"type": "plugin", "name": "x"}, "payload": {"x": 1}}
    assert asked(tap(opened(flow(screen("A", footer(action)))))).data == {"x": 1}


def test_a_target_is_a_key_of_the_routing_model() -> None:
    """A screen that it does not list cannot be reached."""
    played_flow = with_endpoint(screen("A", footer(exchange())), screen("B"), routes={"A": ["B"]})
    effect = broken(answered(tap(opened(played_flow, "A")), {"screen": "B", "data": {}}))
    assert (effect.key, effect.message) == ("invalid-screen-transition", "Screen 'B' is no key of the routing model.")


PIXEL = "iVBORw0KGgo="


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"i": "A" * 420_000}, "/data/i"),
        ({"i": f"data:image/png;base64,{PIXEL}"}, "/data/i"),
    ],
    ids=["too large", "with a prefix"],
)
def test_images_that_a_client_refuses(data: dict[str, str], path: str) -> None:
    """An image has at most 300 kB, and is base64 alone."""
    picture = {"type": "Image", "src": "${data.i}"}
    image = {"type": "string", "__example__": PIXEL}
    played_flow = with_endpoint(screen("A", picture, footer(exchange()), data={"i": image}), routes={"A": []})
    effect = broken(answered(tap(opened(played_flow)), {"screen": "A", "data": data}))
    assert (effect.key, effect.path) == ("components-validation-error", path)


def test_the_number_of_items_is_checked() -> None:
    """minItems and maxItems of the data model."""
    some = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2, "__example__": ["x"]}
    played_flow = with_endpoint(screen("A", footer(exchange()), data={"l": some}), routes={"A": []})
    step = tap(opened(played_flow))
    for items, fits in (([], False), (["x"], True), (["x"] * 3, False)):
        assert (answered(step, {"screen": "A", "data": {"l": items}}).effects == ()) is fits


def test_routes_are_inferred_from_navigate_actions() -> None:
    """Without a routing model, the navigate actions are the edges."""
    played_flow = flow(
        screen("A", footer(exchange()), {"type": "EmbeddedLink", "text": "B", "on-click-action": navigate("B")}),
        screen("B", footer(complete())),
        screen("C", footer(complete())),
    )
    step = tap(opened(played_flow, "A"))
    assert answered(step, {"screen": "B", "data": {}}).session.screen == "B"
    assert broken(answered(step, {"screen": "C", "data": {}})).key == "invalid-screen-transition"


@pytest.mark.parametrize(
    ("content", "key", "path"),
    [
        (None, "payload-schema-error", ""),
        (["x"], "payload-schema-error", ""),
        ({"screen": 5, "data": {}}, "invalid-screen-transition", "/screen"),
        ({"screen": "B"}, "payload-schema-error", "/data"),
        ({"screen": "B", "data": []}, "payload-schema-error", "/data"),
        ({"screen": "B", "data": {}}, "payload-schema-error", "/data"),
        ({"screen": "B", "data": {"x": 1}}, "payload-schema-error", "/data/x"),
        ({"screen": "B", "data": {"x": None}}, "payload-schema-error", "/data/x"),
        ({"screen": "B", "data": {"x": "", "error_message": 5}}, "payload-schema-error", "/data/error_message"),
        ({"screen": "SUCCESS", "data": {"x": 1}}, "payload-schema-error", "/data"),
        ({"screen": "B", "data": {"x": "x" * 1024 * 1024}}, "payload-schema-error", ""),
        ("x" * 11 * 1024 * 1024, "response-decryption-error", ""),
    ],
)
def test_answers_that_a_client_refuses(content: Any, key: str, path: str) -> None:
    """The shape, the keys and the types of an answer are checked against the data model of its screen."""
    step = answered(tap(opened(chain())), content)
    assert (broken(step).key, broken(step).path) == (key, path)
    assert step.session.screen == "A"


def test_a_screen_without_a_data_model_gets_no_data() -> None:
    """An answer with data for it is a payload error, one without any is not."""
    played_flow = with_endpoint(screen("A", footer(exchange())), screen("B"), routes={"A": ["B"], "B": []})
    step = tap(opened(played_flow))
    assert broken(answered(step, {"screen": "B", "data": {"x": 1}})).key == "payload-schema-error"
    assert answered(step, {"screen": "B", "data": {"error_message": "No"}}).session.screen == "B"


@pytest.mark.parametrize(("length", "seconds"), [(1, 4.5), (45, 4.5), (46, 7.0)])
def test_an_error_message_is_a_snackbar(length: int, seconds: float) -> None:
    """It is shown for 4.5 s up to 45 characters, otherwise for 7 s, until the user does something."""
    content = {"screen": "A", "data": {"error_message": "x" * length}}
    step = answered(tap(opened(chain())), content)
    assert step.effects == (Snackbar("x" * length, seconds),)
    assert step.session.snackbar == step.effects[0]
    assert "error_message" not in step.session.screens["A"].data
    assert played(step.session, Fill(at(step.session, "name"), "x")).session.snackbar is None


@pytest.mark.parametrize(
    ("data", "end"),
    [
        ({"extension_message_response": {"params": {"a": 1}}}, Complete(payload={"a": 1})),
        ({"extension_message_response": {"params": {}}}, Complete(payload={})),
        ({"extension_message_response": {}}, Complete(payload={}, sent=False)),
        ({}, Complete(payload={}, sent=False)),
    ],
    ids=["params", "empty params", "no params", "nothing"],
)
def test_success_sends_exactly_its_params(data: Any, end: Complete) -> None:
    """The flow token is not added; without params the Flow closes and no message is sent."""
    step = answered(tap(opened(chain())), {"screen": "SUCCESS", "data": data})
    assert step.effects == (end,)
    assert step.session.end == end


@pytest.mark.parametrize(
    ("failure", "key", "closed"),
    [
        ("not-decrypted", "business-decryption-error", False),
        ("token-refused", "token-refused", True),
        ("timeout", "timeout_error", False),
        ("unreachable", "no_http_response_error", False),
        ("status", "unexpected_http_status_code", False),
        ("unreadable", "response-decryption-error", False),
    ],
)
def test_an_endpoint_that_fails(failure: Any, key: str, closed: bool) -> None:
    """The user stays and can try again; after a 427 the button of the message is disabled for good."""
    asking = tap(opened(chain()))
    step = played(asking.session, Answer(number=1, failure=failure, message="Because."))
    assert broken(step) == Broken(key=key, message="Because.", closed=closed)
    assert step.session.pending is None
    assert step.session.end == (broken(step) if closed else None)
    if not closed:
        assert asked(tap(step.session)).number == 2
    assert broken(played(asking.session, Answer(number=1, failure=failure))).message


# -- back to the endpoint


def test_back_without_refresh_keeps_data_and_input() -> None:
    """Nothing is asked."""
    session = at_screen(chain(), "A", "B")
    step = played(session, Back())
    assert (step.effects, step.session.history) == ((), ("A",))


def test_back_with_refresh_asks_with_the_screen_that_is_left() -> None:
    """The answer decides where the user gets to, and replaces the data that it holds."""
    session = at_screen(chain(refresh=True), "A", "B")
    step = played(session, Back())
    request = asked(step)
    assert (request.action, request.screen, request.data, request.path) == ("BACK", "B", {}, "")
    assert step.session.screen == "B"
    step = answered(step, {"screen": "A", "data": {"x": "refreshed"}})
    assert (step.session.history, step.session.screens["A"].data) == (("A",), {"x": "refreshed"})
