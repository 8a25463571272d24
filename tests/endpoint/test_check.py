"""Which answers the client of a Flow would refuse, and why."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.endpoint.flows import BOOKING, EXAMPLES, WITH_ENDPOINT, examples
from whatsapp_flows import ConfigurationError
from whatsapp_flows.endpoint import Answer, AnswerProblem, Close, Finish, FlowFacts, Show, check_answer

ROUTE, DATA, COMPONENTS = "invalid-screen-transition", "payload-schema-error", "components-validation-error"
FACTS = FlowFacts.read(BOOKING)
SCREENS: dict[str, dict[str, Any]] = {screen["id"]: screen for screen in BOOKING["screens"]}
LIMIT = 1024 * 1024


def answer(screen: str, **changes: Any) -> dict[str, Any]:
    """The answer that a screen's examples make, with changes; a change to `...` removes the key."""
    data = {**examples(SCREENS[screen]), **changes}
    return {"screen": screen, "data": {key: value for key, value in data.items() if value is not ...}}


def keys(found: tuple[AnswerProblem, ...]) -> list[str]:
    return [problem.key for problem in found]


def picture(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


# -- routing


@pytest.mark.parametrize(
    ("source", "action", "target", "allowed"),
    [
        ("", "INIT", "CHOOSE", True),
        (None, "INIT", "CHOOSE", True),
        ("CHOOSE", "INIT", "CHOOSE", True),
        ("", "INIT", "DETAILS", False),
        ("", "INIT", "CONFIRM", False),
        ("CHOOSE", "data_exchange", "CHOOSE", True),
        ("CHOOSE", "data_exchange", "DETAILS", True),
        ("CHOOSE", "data_exchange", "PHOTOS", True),
        ("CHOOSE", "data_exchange", "CONFIRM", False),
        ("DETAILS", "data_exchange", "CONFIRM", True),
        ("DETAILS", "data_exchange", "CHOOSE", True),
        ("DETAILS", "BACK", "CHOOSE", True),
        ("DETAILS", "BACK", "DETAILS", True),
        ("DETAILS", "BACK", "PHOTOS", False),
        ("CONFIRM", "BACK", "CHOOSE", False),
        ("CONFIRM", "data_exchange", "PHOTOS", True),
        ("", "data_exchange", "DETAILS", True),
        ("GONE", "data_exchange", "DETAILS", False),
        ("CHOOSE", "data_exchange", "SUCCESS", True),
        ("", "INIT", "SUCCESS", True),
    ],
)
def test_routes(source: str | None, action: str, target: str, *, allowed: bool) -> None:
    """An answer leads along an edge of the routing model, one step back, or nowhere; a Flow opens where none leads."""
    given_answer = {"screen": target, "data": {}} if target == "SUCCESS" else answer(target)
    assert keys(check_answer(FACTS, source, action, given_answer)) == ([] if allowed else [ROUTE])


def test_a_screen_outside_the_routing_model_is_never_reached() -> None:
    """The target has to be a key of the routing model, even where another screen lists it."""
    flow = copy.deepcopy(BOOKING)
    del flow["routing_model"]["CONFIRM"]
    (problem,) = check_answer(flow, "DETAILS", "data_exchange", answer("CONFIRM"))
    assert (problem.key, problem.path) == (ROUTE, "/screen")
    assert problem.message == "Screen 'CONFIRM' is no key of the routing model."


def test_an_unknown_screen_is_reported_with_the_nearest_name() -> None:
    """A misspelled screen is found, and the right one is named."""
    (problem,) = check_answer(FACTS, "CHOOSE", "data_exchange", {"screen": "DETIALS", "data": {}})
    assert problem.key == ROUTE
    assert problem.message == "The Flow has no screen 'DETIALS'. Did you mean 'DETAILS'?"


def test_a_flow_without_routing_model_is_checked_for_all_but_the_route() -> None:
    """Where a Flow has no routing model, any of its screens may follow any other; the data is checked all the same."""
    flow = {key: value for key, value in BOOKING.items() if key not in {"routing_model", "data_api_version"}}
    assert check_answer(flow, "CONFIRM", "data_exchange", answer("CHOOSE")) == ()
    assert keys(check_answer(flow, "", "INIT", answer("DETAILS", price="x"))) == [DATA]
    assert keys(check_answer(flow, "", "INIT", {"screen": "NOWHERE", "data": {}})) == [ROUTE]


# -- the shape and the data

PARAMS = "/data/extension_message_response/params"


def ending(params: Any, **more: Any) -> dict[str, Any]:
    """An answer that ends the Flow."""
    return {"screen": "SUCCESS", "data": {"extension_message_response": {"params": params}, **more}}


@pytest.mark.parametrize(
    ("given_answer", "found"),
    [
        ({"data": {}}, [(ROUTE, "/screen")]),
        ({"screen": None, "data": {}}, [(ROUTE, "/screen")]),
        ({"screen": 5, "data": {}}, [(ROUTE, "/screen")]),
        ({"screen": "CONFIRM"}, [(DATA, "/data")]),
        ({"screen": "CONFIRM", "data": []}, [(DATA, "/data")]),
        ({"screen": "CONFIRM", "data": None}, [(DATA, "/data")]),
        ({}, [(ROUTE, "/screen"), (DATA, "/data")]),
        ({"screen": "CONFIRM", "data": {}}, []),
        ({"screen": "CONFIRM", "data": {"error_message": "No."}}, []),
        ({"screen": "CONFIRM", "data": {"error_message": 5}}, [(DATA, "/data/error_message")]),
        ({"screen": "CONFIRM", "data": {"extra": 1}}, [(DATA, "/data")]),
        ({"screen": "SUCCESS", "data": {"extension_message_response": {"params": {"flow_token": "t"}}}}, []),
        (
            {"screen": "SUCCESS", "data": {"extension_message_response": []}},
            [(DATA, "/data/extension_message_response")],
        ),
        ({"screen": "SUCCESS"}, [(DATA, "/data")]),
        ({"screen": "SUCCESS", "data": {}}, []),
        ({"screen": "SUCCESS", "data": {"extension_message_response": {}}}, []),
        ({"screen": "SUCCESS", "data": {"more": 1}}, [(DATA, "/data")]),
        (ending({"flow_token": "t"}, price=1), [(DATA, "/data")]),
        (ending(None), [(DATA, PARAMS)]),
        (ending([]), [(DATA, PARAMS)]),
        (ending("x"), [(DATA, PARAMS)]),
        (ending({}), [(DATA, PARAMS)]),
        (ending({"date": "1"}), [(DATA, PARAMS)]),
        (ending({"flow_token": None}), [(DATA, f"{PARAMS}/flow_token")]),
        (ending({"flow_token": 5, "date": "1"}), [(DATA, f"{PARAMS}/flow_token")]),
        ({"version": "3.0", "screen": "CONFIRM", "data": {}}, []),
    ],
)
def test_the_shape_of_an_answer(given_answer: Mapping[str, Any], found: list[tuple[str, str]]) -> None:
    """An answer has a text `screen` and an object `data`; a screen without data model takes none."""
    problems = check_answer(FACTS, "DETAILS", "data_exchange", given_answer)
    assert [(problem.key, problem.path) for problem in problems] == found


@pytest.mark.parametrize(
    ("screen", "changes", "message", "path"),
    [
        ("DETAILS", {"price": "9"}, "price is of type string, not number.", "/data/price"),
        ("DETAILS", {"price": None}, "price is of type null, not number.", "/data/price"),
        ("DETAILS", {"price": True}, "price is of type boolean, not number.", "/data/price"),
        ("DETAILS", {"open": 1}, "open is of type integer, not boolean.", "/data/open"),
        ("DETAILS", {"open": "true"}, "open is of type string, not boolean.", "/data/open"),
        ("DETAILS", {"shop": []}, "shop is of type array, not object.", "/data/shop"),
        ("DETAILS", {"shop": {"stars": 3}}, "shop lacks name.", "/data/shop"),
        ("DETAILS", {"shop": {"name": "x", "stars": 2.5}}, "shop.stars is of type number, not integer.",
         "/data/shop/stars"),
        ("DETAILS", {"shop": {"name": "x", "stars": 6}}, "shop.stars has a value over 5.", "/data/shop/stars"),
        ("DETAILS", {"shop": ...}, "The data lacks what the screen declares: shop.", "/data"),
        ("DETAILS", {"shop": ..., "open": ...}, "The data lacks what the screen declares: open, shop.", "/data"),
        ("CHOOSE", {"count": 2.5}, "count is of type number, not integer.", "/data/count"),
        ("CHOOSE", {"dates": {}}, "dates is of type object, not array.", "/data/dates"),
        ("CHOOSE", {"dates": [{"id": 9}]}, "dates[0].id is of type integer, not string.", "/data/dates/0/id"),
        ("CHOOSE", {"dates": ({"id": "1"}, {"id": 9})}, "dates[1].id is of type integer, not string.",
         "/data/dates/1/id"),
        ("CHOOSE", {"dates": [{"title": "x"}]}, "dates[0] lacks id.", "/data/dates/0"),
        ("CHOOSE", {"dates": ["x"]}, "dates[0] is of type string, not object.", "/data/dates/0"),
    ],
)  # fmt: skip
def test_wrong_data(screen: str, changes: dict[str, Any], message: str, path: str) -> None:
    """Data that does not fit the data model is a schema error, with the place and the two types."""
    assert check_answer(FACTS, screen, "data_exchange", answer(screen, **changes)) == (
        AnswerProblem(key=DATA, message=message, path=path),
    )


@pytest.mark.parametrize(
    ("screen", "changes"),
    [
        ("DETAILS", {"price": 9}),
        ("DETAILS", {"undeclared": {"a": [1]}}),
        ("DETAILS", {"error_message": "No."}),
        ("DETAILS", {"shop": {"name": "x", "undeclared": 1}}),
        ("CHOOSE", {"count": 2.0}),
        ("CHOOSE", {"dates": []}),
        ("CHOOSE", {"dates": ({"id": "1"},)}),
        ("CHOOSE", {"__example__": 5}),
    ],
)
def test_data_that_fits(screen: str, changes: dict[str, Any]) -> None:
    """A whole number is a number, a tuple is an array, and keys that no model declares are tolerated."""
    assert check_answer(FACTS, screen, "data_exchange", answer(screen, **changes)) == ()


def test_a_declared_error_message_need_not_be_there() -> None:
    """The client takes `error_message` out before it checks the data, so a model does not ask for it."""
    flow = copy.deepcopy(BOOKING)
    flow["screens"][1]["data"]["error_message"] = {"type": "string", "__example__": ""}
    assert check_answer(flow, "DETAILS", "data_exchange", answer("DETAILS")) == ()


def test_an_empty_data_model_takes_any_data() -> None:
    """A data model without fields is one: keys that it does not declare are tolerated."""
    flow = copy.deepcopy(BOOKING)
    flow["screens"][3]["data"] = {}
    assert check_answer(flow, "CONFIRM", "data_exchange", {"screen": "CONFIRM", "data": {"a": 1}}) == ()


def test_a_pointer_escapes_its_steps() -> None:
    """The path of a problem is a JSON pointer, with `~` and `/` escaped."""
    flow = copy.deepcopy(BOOKING)
    flow["screens"][3]["data"] = {"a/b~c": {"type": "string"}}
    (problem,) = check_answer(flow, "CONFIRM", "data_exchange", {"screen": "CONFIRM", "data": {"a/b~c": 1}})
    assert problem.path == "/data/a~1b~0c"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (date(2026, 1, 1), "Object of type date is not JSON serializable"),
        ({1, 2}, "Object of type set is not JSON serializable"),
        (float("nan"), "Out of range float values are not JSON compliant"),
    ],
)
def test_what_has_no_json_form_is_a_problem(value: Any, reason: str) -> None:
    """A value that JSON does not have is reported, not raised."""
    (problem,) = check_answer(FACTS, "CHOOSE", "data_exchange", answer("DETAILS", price=value))
    assert problem.key == DATA
    assert reason in problem.message


@pytest.mark.parametrize(
    ("given_answer", "found"),
    [
        (Show("DETAILS", answer("DETAILS")["data"]), []),
        (Show("DETAILS", answer("DETAILS")["data"], error="Taken.", errors={"open": "Closed."}), []),
        (Show("DETAILS", answer("DETAILS", price="\ud800")["data"]), [DATA]),
        (Show("DETAILS", answer("DETAILS", note="\ud800")["data"]), []),
        (Show("CONFIRM", error="Taken."), [ROUTE]),
        (Finish({"number": 5}), []),
        (Finish({"flow_token": "another"}), []),
        (Finish({"flow_token": None}), [DATA]),
        (Show("SUCCESS", {"number": 5}), [DATA]),
        (Close(), []),
    ],
)
def test_what_a_handler_returns_is_checked(given_answer: Answer, found: list[str]) -> None:
    """Answers of a handler are checked as they are encrypted: half of a surrogate pair is sent as an escape."""
    assert keys(check_answer(FACTS, "CHOOSE", "data_exchange", given_answer)) == found


def test_an_endless_answer_is_a_problem() -> None:
    """An answer that contains itself, or is nested without end, is reported, not raised."""
    endless: dict[str, Any] = {}
    endless["a"] = endless
    assert keys(check_answer(FACTS, "CHOOSE", "data_exchange", {"screen": "CHOOSE", "data": endless})) == [DATA]


def test_an_answer_has_at_most_a_megabyte() -> None:
    """All of the answer together may have 1 MB as it is encrypted, so a character beyond ASCII counts as its bytes."""
    rest = len(json.dumps(answer("DETAILS", note=""), separators=(",", ":")))
    assert check_answer(FACTS, "CHOOSE", "data_exchange", answer("DETAILS", note="x" * (LIMIT - rest))) == ()
    for too_much in ("x" * (LIMIT - rest + 1), "ë" * (LIMIT // 2)):
        (problem,) = check_answer(FACTS, "CHOOSE", "data_exchange", answer("DETAILS", note=too_much))
        assert problem.key == DATA
        assert "the client takes 1048576 (1 MB)" in problem.message


def test_at_most_a_hundred_problems_are_listed() -> None:
    """An array of many wrong items does not become as many problems."""
    assert len(check_answer(FACTS, "", "INIT", answer("CHOOSE", dates=[1] * 5000))) == 100


# -- what a problem names


@pytest.mark.parametrize(
    ("data", "removed"),
    [
        ({"price": 1, "dates": []}, "price, dates"),
        ({"Zeppelin": 1}, "1 key that no screen declares"),
        ({"Zeppelin": 1, "price": 1, "x" * 500_000: 2}, "price and 2 keys that no screen declares"),
    ],
)
def test_keys_that_may_be_a_users_are_counted(data: dict[str, Any], removed: str) -> None:
    """A key that some screen of the Flow declares is named; how many others there are is told."""
    (problem,) = check_answer(FACTS, "DETAILS", "data_exchange", {"screen": "CONFIRM", "data": data})
    assert problem.message == f"The screen has no data model, so it takes no data: remove {removed}."
    (problem,) = check_answer(FACTS, "DETAILS", "data_exchange", {"screen": "SUCCESS", "data": data})
    assert problem.message == f"An answer that ends the Flow takes extension_message_response alone: remove {removed}."


def test_keys_that_a_closed_schema_refuses_are_not_named() -> None:
    """The object is named, once for all of its keys."""
    flow = copy.deepcopy(BOOKING)
    flow["screens"][1]["data"]["shop"]["additionalProperties"] = False
    shop = {"name": "x", "Zeppelin": 1, "x" * 500_000: 2}
    assert check_answer(flow, "DETAILS", "data_exchange", answer("DETAILS", shop=shop)) == (
        AnswerProblem(key=DATA, message="The object has keys that its schema does not declare.", path="/data/shop"),
    )


@pytest.mark.parametrize("screen", ["Zeppelin", "DETIALS", "Z" * 500_000, "\ud800", "a\nb"])
def test_an_unknown_screen_of_the_request_is_not_named(screen: str) -> None:
    """A request may come from any text; shown again, it is no screen of the Flow."""
    (problem,) = check_answer(FACTS, screen, "data_exchange", {"screen": screen, "data": {}})
    assert problem == AnswerProblem(key=ROUTE, message="The screen of the request is not in the Flow.", path="/screen")


def test_the_texts_of_a_problem_are_short() -> None:
    """Whatever the names of a Flow: a message is cut, and a path becomes that of an outer place."""
    flow, long = copy.deepcopy(BOOKING), "n" * 5000
    flow["screens"][1]["data"] = {"a": {"type": "object", "properties": {long: {"type": "string"}}}, long: {}}
    for data in ({"a": {long: 1}}, {}, {long: 1}):
        for problem in check_answer(flow, "DETAILS", "BACK", {"screen": "DETAILS", "data": data}):
            assert len(problem.message) <= 400
            assert problem.path in {"/data/a", "/data"}
    (problem,) = check_answer(FACTS, "CHOOSE", "data_exchange", {"screen": "N" * 5000, "data": {}})
    assert problem.message == "The Flow has no screen a string of 5000 characters."


# -- images


@pytest.mark.parametrize(
    ("screen", "changes", "message", "path"),
    [
        ("PHOTOS", {"a": picture(307_201)},
         "An image of Image has 307201 bytes; it may have 307200.", "/data/a"),
        ("PHOTOS", {"b": "data:image/png;base64,aGVsbG8="},
         "An image of Image has a 'data:' prefix: send the base64 text alone.", "/data/b"),
        ("PHOTOS", {"b": "DATA:,x"},
         "An image of Image has a 'data:' prefix: send the base64 text alone.", "/data/b"),
        ("PHOTOS", {"d": "x"}, "4 images of Image: a screen may have 3.", "/data"),
        ("PHOTOS", {"shown": [{"src": "x"}] * 4}, "4 images of ImageCarousel: a carousel may have 3.", "/data"),
        ("PHOTOS", {"shown": [{"src": "x"}, {"src": "data:,"}]},
         "An image of ImageCarousel has a 'data:' prefix: send the base64 text alone.", "/data/shown/1/src"),
        ("PHOTOS", {"places": [{"start": {"image": picture(102_401)}}]},
         "An image of NavigationList has 102401 bytes; it may have 102400.", "/data/places/0/start/image"),
        ("CHOOSE", {"dates": [{"id": "1"}, {"id": "2", "image": picture(102_401)}]},
         "An image of RadioButtonsGroup has 102401 bytes; it may have 102400.", "/data/dates/1/image"),
        ("CHOOSE", {"dates": ({"id": "2", "image": "data:,"},)},
         "An image of RadioButtonsGroup has a 'data:' prefix: send the base64 text alone.", "/data/dates/0/image"),
    ],
)  # fmt: skip
def test_images(screen: str, changes: dict[str, Any], message: str, path: str) -> None:
    """An image is base64 without prefix, of a bounded size, and a screen or a carousel has at most three."""
    assert check_answer(FACTS, screen, "data_exchange", answer(screen, **changes)) == (
        AnswerProblem(key=COMPONENTS, message=message, path=path),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"a": picture(307_200), "b": picture(307_199)},
        {"a": picture(307_199)[:-1], "b": picture(307_198)[:-2], "c": "x"},
        {
            "d": "",
            "shown": [{"src": "x"}] * 3,
            "places": [{"start": {"image": picture(102_400)}}, {"start": {}}, {}] * 6,
        },
        {"undeclared": "data:text/plain,x"},
    ],
)
def test_images_that_fit(changes: dict[str, Any]) -> None:
    """Up to three images of up to 300 kB, items with 100 kB each, and texts that are no image are allowed."""
    assert check_answer(FACTS, "PHOTOS", "data_exchange", answer("PHOTOS", **changes)) == ()


@pytest.mark.parametrize("other", ["an image", 5, None, ["image"], {"image": ""}])
def test_an_image_is_found_beside_items_of_any_kind(other: Any) -> None:
    """An item that is no object is a problem of its own, and hides no image."""
    found = check_answer(FACTS, "DETAILS", "BACK", answer("CHOOSE", dates=[other, {"id": "1", "image": "data:,"}]))
    assert "/data/dates/1/image" in {problem.path for problem in found if problem.key == COMPONENTS}


def test_an_older_flow_takes_larger_images_in_lists() -> None:
    """The size of a list's image is that of the Flow's version: 300 kB until 5.1, 100 kB from 6.0."""
    large = answer("CHOOSE", dates=[{"id": "1", "image": picture(200_000)}])
    assert keys(check_answer(BOOKING, "", "INIT", large)) == [COMPONENTS]
    assert check_answer({**BOOKING, "version": "5.1"}, "", "INIT", large) == ()
    assert keys(check_answer({**BOOKING, "version": "9.9"}, "", "INIT", large)) == [COMPONENTS]
    assert keys(check_answer({**BOOKING, "version": 5}, "", "INIT", large)) == [COMPONENTS]


def test_an_image_may_be_bound_deep_inside_and_from_another_screen() -> None:
    """A place is found in written items, in objects of the data, and where one screen shows the data of another."""
    flow = copy.deepcopy(BOOKING)
    flow["screens"][3]["layout"]["children"] = [
        {"type": "Image", "src": "${screen.DETAILS.data.shop.photo}"},
        {"type": "ImageCarousel", "images": [{"src": "${screen.DETAILS.data.photo}"}, {"src": "aGVsbG8="}, "?"]},
        {"type": "NavigationList", "list-items": [{"start": {"image": "${screen.DETAILS.data.icon}"}}]},
        {"type": "Image", "src": "`${data.x}`"},
        {"type": "Image", "src": "${form.x}"},
        {"type": "Image"},
    ]
    wrong = {"photo": "data:,", "icon": "data:,", "shop": {"name": "x", "photo": "data:,"}}
    problems = check_answer(flow, "CHOOSE", "data_exchange", answer("DETAILS", **wrong))
    assert [problem.path for problem in problems] == ["/data/shop/photo", "/data/photo", "/data/icon"]
    assert check_answer(flow, "CHOOSE", "data_exchange", answer("DETAILS", shop={"name": "x", "photo": 5})) == ()


# -- every Flow, every answer


def with_endpoint(path: Path) -> dict[str, Any]:
    """An example Flow with the routing model that its navigate actions make."""
    flow: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    names = [screen["id"] for screen in flow["screens"]]
    links = {one: [other for other in names if f'"name": "{other}"' in json.dumps(screen)]
             for one, screen in zip(names, flow["screens"], strict=True)}  # fmt: skip
    return {**flow, "routing_model": links, "data_api_version": "4.0"}


WRITTEN = [json.loads(path.read_text(encoding="utf-8")) for path in (WITH_ENDPOINT, *EXAMPLES)]
FLOWS = [BOOKING, *WRITTEN, *map(with_endpoint, EXAMPLES)]
READ = [FlowFacts.read(flow) for flow in FLOWS]


@pytest.mark.parametrize("number", range(len(FLOWS)))
def test_examples_make_good_answers(number: int) -> None:
    """An answer made of the examples of a data model has no problem, on any screen of any Flow."""
    for screen in FLOWS[number]["screens"]:
        data = examples(screen)
        assert check_answer(READ[number], screen["id"], "data_exchange", {"screen": screen["id"], "data": data}) == ()


@pytest.mark.parametrize("number", range(len(FLOWS)))
def test_every_missing_field_and_route_is_found(number: int) -> None:
    """A field taken out of an answer, and a screen that the previous one neither leads to nor follows, are found."""
    facts, screens = READ[number], FLOWS[number]["screens"]
    for screen in screens:
        data = examples(screen)
        for name in data:
            cut = {"screen": screen["id"], "data": {key: value for key, value in data.items() if key != name}}
            assert keys(check_answer(facts, screen["id"], "data_exchange", cut)) == [DATA]
        for other in screens if facts.routes is not None else ():
            near = other is screen or facts.leads(screen["id"], other["id"]) or facts.leads(other["id"], screen["id"])
            found = check_answer(facts, other["id"], "data_exchange", {"screen": screen["id"], "data": data})
            assert keys(found) == ([] if near else [ROUTE])


FIELDS = [
    (number, screen, name)
    for number, flow in enumerate(FLOWS)
    for screen in flow["screens"]
    for name in screen.get("data", {})
]


@given(st.data(), st.sampled_from(FIELDS))
def test_every_value_of_another_type_is_found(data: st.DataObject, field: tuple[int, dict[str, Any], str]) -> None:
    """A value that is not of its field's type makes one problem, at its place."""
    number, screen, name = field
    changed = {**examples(screen), name: data.draw(wrong(screen["data"][name]["type"]))}
    (problem,) = check_answer(READ[number], screen["id"], "BACK", {"screen": screen["id"], "data": changed})
    assert (problem.key, problem.path) == (DATA, f"/data/{name}")


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(st.characters(codec="utf-8"), max_size=5),
    "boolean": st.booleans(),
    "number": st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: not value.is_integer()),
    "integer": st.integers(),
    "array": st.lists(st.integers(), max_size=2),
    "object": st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=3), st.integers(), max_size=2),
    "null": st.none(),
}


def wrong(kind: str) -> st.SearchStrategy[Any]:
    """Values that are not of a type of a data model."""
    right = {kind, "integer"} if kind == "number" else {kind}
    return st.one_of(*(values for name, values in VALUES.items() if name not in right))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(READ), st.none() | st.text(max_size=8), st.text(max_size=8), st.dictionaries(
    st.sampled_from(["screen", "data", "x"]), st.sampled_from(["CHOOSE", "PHOTOS", "SUCCESS"]) | JSON))  # fmt: skip
def test_no_answer_makes_the_check_raise(facts: FlowFacts, source: str, action: str, given_answer: Any) -> None:
    """Whatever a mapping holds, the result is a tuple of problems with one of the three keys and a JSON pointer."""
    for problem in check_answer(facts, source, action, given_answer):
        assert problem.key in {ROUTE, DATA, COMPONENTS}
        assert problem.path in {"", "/screen", "/data"} or problem.path.startswith("/data/")


@given(st.text(st.sampled_from("abcxyz0123456789"), min_size=12, max_size=20))
def test_no_value_stands_in_a_problem(value: str) -> None:
    """A problem names keys and types, never a value."""
    changes = {"price": value, "open": [value], "shop": {"stars": value, "name": {"x": value}}}
    for problem in check_answer(FACTS, "CHOOSE", "data_exchange", answer("DETAILS", **changes)):
        assert value not in problem.message + problem.path


# -- reading a Flow


def test_a_flow_is_read_from_whatever_holds_it(tmp_path: Path) -> None:
    """A path, its text, a mapping, a JSON text and bytes are the same Flow; facts are taken as they are."""
    path, text = tmp_path / "booking.json", json.dumps(BOOKING)
    path.write_text(text, encoding="utf-8")
    for source in (
        path,
        str(path),
        BOOKING,
        text,
        "\ufeff \n" + text,
        text.encode(),
        "\ufeff".encode() + text.encode(),
    ):
        assert FlowFacts.read(source) == FACTS
    assert FlowFacts.read(FACTS) is FACTS
    assert pickle.loads(pickle.dumps(FACTS)) == FACTS


def test_facts_do_not_follow_later_changes() -> None:
    """A mapping that is changed after it was read does not change the facts."""
    flow = copy.deepcopy(BOOKING)
    facts = FlowFacts.read(flow)
    flow["screens"][0]["data"].clear()
    flow["routing_model"].clear()
    assert facts == FACTS


@pytest.mark.parametrize(
    ("flow", "reason"),
    [
        ("no/such/flow.json", "'no/such/flow.json' cannot be read"),
        ("", "cannot be read"),
        ("{", "flow is not JSON"),
        (b"\xff", "flow is not UTF-8"),
        ("[]", "cannot be read"),
        (b"[]", "flow must be a JSON object"),
        ({}, "flow has no screens"),
        ({"screens": []}, "flow has no screens"),
        ({"screens": [{"id": 5}, "x"]}, "flow has no screens"),
        ({"screens": {"id": "A"}}, "flow has no screens"),
        (5, "flow must be a mapping"),
        (None, "flow must be a mapping"),
    ],
)
def test_what_is_no_flow(flow: Any, reason: str) -> None:
    """A Flow that cannot be read is the caller's mistake."""
    with pytest.raises(ConfigurationError, match="flow") as caught:
        check_answer(flow, "", "INIT", {"screen": "CHOOSE", "data": {}})
    assert reason in str(caught.value)


@pytest.mark.parametrize("model", [[], "x", {"CHOOSE": "DETAILS", "DETAILS": [5, None], "CONFIRM": None}, None, {}])
def test_a_malformed_routing_model_is_read_as_far_as_it_goes(model: Any) -> None:
    """A routing model that is no object is none; destinations that are no names lead nowhere."""
    facts = FlowFacts.read({**BOOKING, "routing_model": model})
    routes = {name: frozenset[str]() for name in model} if isinstance(model, dict) else None
    assert facts.routes == routes


@pytest.mark.parametrize("value", [None, "text", b"bytes", 5, [("screen", "CHOOSE")]])
def test_what_is_no_answer(value: Any) -> None:
    """What is neither an answer nor a mapping is the caller's mistake."""
    with pytest.raises(ConfigurationError, match="answer must be a Show, Finish, Close or a mapping, not "):
        check_answer(FACTS, "CHOOSE", "data_exchange", value)


def test_an_unknown_screen_is_refused_with_the_nearest_name() -> None:
    """A handler for a screen that the Flow does not have is a mistake that is named."""
    FACTS.require_screen("CHOOSE")
    with pytest.raises(ConfigurationError, match=r"The Flow has no screen 'CHOSE'. Did you mean 'CHOOSE'\?"):
        FACTS.require_screen("CHOSE")
    with pytest.raises(ConfigurationError, match=r"The Flow has no screen 'XYZ'\.$"):
        FACTS.require_screen("XYZ")
