"""What a type checker would have found, where there is none: an error with the remedy; nothing is lost in silence."""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import math
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from whatsapp_flows import ConfigurationError
from whatsapp_flows.builder import (
    CheckboxGroup,
    Complete,
    Data,
    DatePicker,
    Dropdown,
    Flow,
    FlowBuildError,
    Footer,
    Form,
    If,
    Navigate,
    OpenUrl,
    Option,
    Raw,
    Screen,
    Switch,
    TextBody,
    TextInput,
    UpdateData,
    answers,
    from_json,
    own_value,
    text,
    to_python,
)

ANY: Final[Any] = None  # what a type checker would refuse is passed by way of it


class Size(str, enum.Enum):
    """A text with a name."""

    LARGE = "l"


class Count(enum.IntEnum):
    """A number with a name."""

    ONE = 1


name = TextInput(name="name", label="Name")
age = TextInput(name="age", label="Age", input_type="number")
city = Data("city", "Accra")
price = Data("price", 1.5)
paid = Data("paid", True)
ANY_NAME: Final[Any] = name
PERIOD: Final = TextInput(name="a.b", label="A")


def loose(cls: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """An object that is made of arguments that a type checker would refuse."""
    return cls(*given, **named)


def written(*children: Any, **options: Any) -> dict[str, Any]:
    """The first component of a Flow with some inputs and fields, as it stands in the document."""
    screen = Screen("S", title="T", data=[city, price, paid], children=[*children, name, age])
    component: dict[str, Any] = Flow(version="7.3", screens=[screen], **options).to_dict()["screens"][0]["layout"][
        "children"
    ][0]
    return component


def sent(payload: Any) -> Any:
    """The payload of a Footer."""
    return written(Footer(label="Go", on_click_action=Complete(payload)))["on-click-action"]["payload"]


MISTAKES: Final[Mapping[str, tuple[Callable[[], object], str]]] = {
    # texts
    "str()": (lambda: TextBody(text=str(name)), r'write text\("Hello ", name\)'),
    "percent": (lambda: TextBody(text="Hello %s" % name), r'write text\("Hello ", name\)'),  # noqa: UP031
    "sum": (lambda: "Hello " + ANY_NAME, r"texts are joined by text\("),
    "written_as": (lambda: (name == "a").written_as(ANY), "takes the text of the expression, not None"),
    # required values that are None
    "no text": (
        lambda: written(loose(TextBody, text=None)),
        r"screen S, TextBody\(\): a NoneType has no JSON form.*out",
    ),
    "no label": (lambda: written(loose(TextInput, name="x", label=None)), "leave it out"),
    "no name": (lambda: loose(TextInput, name=None, label="X"), "the name of a TextInput must be a text"),
    "no condition": (lambda: loose(If, None, then=[]), "the condition of an If is an expression, such as"),
    "no value": (lambda: loose(Switch, None, cases={}), "the value of a Switch is a reference"),
    # lists
    "a component alone": (lambda: loose(Screen, "A", children=name), r"components stand in a list, not in a TextInput"),
    "a text as children": (lambda: loose(Screen, "A", children="abc"), r"not in a str: write \[\.\.\.\]"),
    "a branch alone": (lambda: loose(If, paid, then=name), "components stand in a list"),
    "the other branch alone": (lambda: loose(If, paid, then=[], else_=name), "components stand in a list"),
    "children of a Form": (lambda: loose(Form, name="f", children=3), "components stand in a list"),
    "a case alone": (lambda: loose(Switch, city, cases={"a": name}), "components stand in a list"),
    "cases as a list": (lambda: loose(Switch, city, cases=[name]), "cases is a dict"),
    "cases of numbers": (lambda: loose(Switch, city, cases={1: [name]}), "cases is a dict"),
    "a field alone": (lambda: loose(Screen, "A", data=city), "the fields of data stand in a list, not in a Data"),
    "data as a dict": (lambda: loose(Screen, "A", data={"x": 1}), "the fields of data stand in a list, not in a dict"),
    "a screen alone": (lambda: loose(Flow, version="7.3", screens=Screen("A")), "screens stand in a list"),
    "screens as a dict": (lambda: loose(Flow, version="7.3", screens={"A": Screen("A")}), "not in a dict"),
    "a class": (lambda: written(TextBody), "screen S: a component is needed here.*make an object of it"),
    "a dict": (lambda: written({"type": "TextBody"}), r"a component is needed here.*JSON stands in Raw\("),
    "sensitive text": (lambda: loose(Screen, "A", sensitive="name"), "the sensitive inputs stand in a list"),
    "sensitive field": (lambda: loose(Screen, "A", sensitive=[city]), "a list of inputs, or of their names, not of"),
    # names
    "name of a field": (lambda: loose(Data, 3, "x"), "the name of a Data is a text"),
    "empty name of a field": (lambda: Data("", "x"), "that is not empty"),
    "a period in a name": (
        lambda: written(TextBody(text=PERIOD), PERIOD),
        r"screen S, TextBody\(\): 'a\.b' cannot be referred to",
    ),
    "type of a field": (lambda: Data("x", "a", type="strin"), "one of string, number, integer"),
    # actions
    "no screen": (lambda: loose(Navigate, None), "Navigate takes the id of a screen, or a Screen, not None"),
    "a field as a screen": (lambda: loose(Navigate, city), "not \\${data.city}"),
    "payload as a list": (lambda: loose(Complete, [name]), "a payload is a dict"),
    "payload as a value": (lambda: loose(UpdateData, name), "a payload is a dict"),
    "no payload": (lambda: loose(UpdateData, None), "a payload is a dict"),
    "no URL": (lambda: loose(OpenUrl, 3), "a URL as a text"),
    "a number as a key": (lambda: sent({1: "x"}), "the keys of an object are texts, not 1"),
    "an input as a key": (lambda: sent({name: "x"}), "the keys of an object are texts"),
    # values
    "None": (lambda: sent({"x": None}), r"screen S, Footer\(\): a NoneType has no JSON form: None; leave it out"),
    "a date": (lambda: sent({"x": datetime.date(2026, 1, 1)}), r"value\.isoformat\(\)"),
    "a Decimal": (lambda: sent({"x": decimal.Decimal(3)}), r"write float\(value\)"),
    "a UUID": (lambda: sent({"x": uuid.UUID(int=1)}), r"write str\(value\)"),
    "a set": (lambda: sent({"x": {1}}), "write a list"),
    "bytes": (lambda: sent({"x": b""}), "b64encode"),
    "a class as an action": (lambda: written(loose(Footer, label="x", on_click_action=Complete)), "make an object"),
    "not a number": (lambda: sent({"x": math.nan}), r"screen S, Footer\(\): .*not JSON compliant"),
    "an infinite limit": (lambda: written(TextInput(name="x", label="X", max_chars=math.inf)), "not JSON compliant"),
    "a number too long": (lambda: sent({"x": 10**5000}), r"screen S, Footer\(\): an int cannot be written as JSON"),
    "an infinite example": (
        lambda: Flow(version="7.3", screens=[Screen("A", data=[Data("x", math.inf)])]).to_json(),
        "screen A: .*not JSON compliant",
    ),
    "a payload in itself": (lambda: sent(circular()), "nested too deeply"),
    "an example in itself": (lambda: Data("x", circular()), "nested too deeply"),
    "a number as a key of an example": (lambda: Data("x", {1: "x"}), "the keys of an object are texts, not 1"),
    "a schema as a text": (lambda: loose(Data, "x", 1, schema="string"), "the schema of a Data is a dict"),
    "an object in Raw": (lambda: written(Raw({"x": object()})), "screen S: an object has no JSON form"),
    "Raw in an expression": (lambda: loose(text, "a", Raw("x")), "a Raw cannot stand in an expression"),
    "a title": (
        lambda: Flow(version="7.3", screens=[Screen("A", title="${data.x}")]).to_json(),
        "screen A: .*as a text",
    ),
    # the Flow
    "another routing model": (lambda: written(routing_model="auto"), "routing_model is a dict, or 'infer', not 'auto'"),
    "routes as a text": (lambda: written(routing_model={"S": "END"}), "a list of ids for each id"),
    "routes of objects": (lambda: written(routing_model={"S": [Screen("A")]}), "a list of ids for each id"),
    "an API version": (lambda: written(data_api_version=3.0), "data_api_version is a text"),
    "more as a list": (lambda: written(more=["x"]), "more is a dict"),
    "a number as a key of more": (lambda: written(more={1: "x"}), "the keys of an object are texts, not 1"),
    "more of a screen": (lambda: loose(Screen, "A", more=["x"]), "more is a dict"),
    "a number as a key of a screen": (lambda: loose(Screen, "A", more={1: "x"}), "texts, not 1"),
    "a property twice": (lambda: written(more={"version": "6.0"}), "version is given twice"),
    "a screen's twice": (
        lambda: Flow(version="7.3", screens=[Screen("A", more={"id": "B"})]).to_json(),
        "screen A: id is given twice",
    ),
}


def circular() -> dict[str, Any]:
    """A payload that holds itself."""
    payload: dict[str, Any] = {}
    payload["x"] = payload
    return payload


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_an_error_with_its_remedy(mistake: str) -> None:
    """And with its place, if it is found when the Flow is written."""
    make, remedy = MISTAKES[mistake]
    with pytest.raises(FlowBuildError, match=remedy):
        make()


def test_enums_stand_for_their_values() -> None:
    """In a payload, an expression and a condition."""
    assert sent({"size": Size.LARGE, "count": Count.ONE}) == {"size": "l", "count": 1}
    assert written(TextBody(text="x", visible=city == Size.LARGE))["visible"] == "`(${data.city} == 'l')`"
    assert written(If(city == Size.LARGE, then=[]))["condition"] == "(${data.city} == 'l')"
    assert written(TextBody(text="x", visible=price > Count.ONE))["visible"] == "`(${data.price} > 1)`"


def test_large_numbers_are_written_without_an_exponent() -> None:
    """As a client can read them."""
    assert written(TextBody(text="x", visible=price > 1e20))["visible"] == "`(${data.price} > 100000000000000000000)`"


def test_lists_may_be_any_iterables_and_are_kept_as_they_were() -> None:
    """What is done to a list later does not change the Flow."""
    children: list[Any] = [TextBody(text="a")]
    form = Form(name="f", children=children)
    children.clear()
    assert written(form)["children"] == [{"type": "TextBody", "text": "a"}]
    assert written(loose(Form, name="f", children=(TextBody(text=each) for each in "a")))["children"] == [
        {"type": "TextBody", "text": "a"}
    ]


def test_further_properties_are_kept_as_they_were() -> None:
    """What is done to a dict later does not change the Flow or the screen."""
    more: dict[str, Any] = {"x": 1}
    flow = Flow(version="7.3", screens=[Screen("A", more=more)], more=more)
    more["y"] = 2
    assert flow.to_dict() == {"version": "7.3", "screens": [{"id": "A", "x": 1}], "x": 1}


def test_what_is_done_to_a_document_changes_no_text() -> None:
    """Indented or not, the text is that of the Flow."""
    flow = Flow(version="7.3", screens=[Screen("A")])
    flow["screens"].clear()
    assert json.loads(flow.to_json(indent=2)) == json.loads(flow.to_json()) == flow.to_dict()


@pytest.mark.parametrize("levels", [300, 600])
def test_a_deep_example_stays_the_same_json(levels: int) -> None:
    """As raw JSON where Python's stack is too small for objects."""
    example = json.loads('{"a":' * levels + "1" + "}" * levels)
    screen = {"id": "A", "data": {"x": {"type": "object", "__example__": example}}}
    assert from_json({"version": "7.3", "screens": [screen]}).to_json() == json.dumps(
        {"version": "7.3", "screens": [screen]}, separators=(",", ":")
    )


def test_raw_json_may_hold_references() -> None:
    """They are written as anywhere else: a component stands for itself, an input for its value."""
    label = TextBody(text="x")
    raw = Raw({"type": "New", "text": name, "if": name == "a", "item": Option(id="a", title="A"), "children": [label]})
    assert written(raw) == {
        "type": "New",
        "text": "${form.name}",
        "if": "`(${form.name} == 'a')`",
        "item": {"id": "a", "title": "A"},
        "children": [{"type": "TextBody", "text": "x"}],
    }
    assert sent(Raw({"x": None})) == {"x": None}


def test_a_reference_beside_the_screens_names_its_screen() -> None:
    """It stands on none of them."""
    screen = Screen("S", title="T", data=[city], children=[name])
    assert Flow(version="7.3", screens=[screen], more={"x": [city, name]})["x"] == [
        "${screen.S.data.city}",
        "${screen.S.form.name}",
    ]


def test_own_value_stands_in_expressions_and_items_too() -> None:
    """Anywhere in the arguments of the input."""
    shown = DatePicker(name="day", label="D", enabled=own_value == "x")
    assert written(shown)["enabled"] == "`(${form.day} == 'x')`"
    option = Option(id="a", title="A", on_select_action=UpdateData({"city": own_value}))
    picked = CheckboxGroup(name="picked", label="P", data_source=[option])
    assert written(picked)["data-source"][0]["on-select-action"]["payload"] == {"city": "${form.picked}"}


def test_what_is_written_of_a_flow_is_written_of_its_json() -> None:
    """Whatever Python values it was made of."""
    flow = Flow(
        version="7.3",
        screens=[
            Screen(
                "A",
                terminal=True,
                children=[
                    Dropdown(name="size", label="S", data_source=(Option(id=Size.LARGE, title="L"),)),
                    Raw({"type": "New", "text": name}),
                    name,
                    Footer(label="x", on_click_action=Complete({"n": Count.ONE, "t": ("a",)})),
                ],
            )
        ],
    )
    assert to_python(flow) == to_python(flow.to_dict())
    assert answers(flow) == answers(flow.to_dict())
    with pytest.raises(FlowBuildError, match=r"screen A, TextBody\(\)"):
        to_python(Flow(version="7.3", screens=[Screen("A", children=[TextBody(text=city)])]))


UNREADABLE: Final = (
    (b'{"version": "7.3",\n "screens": [}', "json is no Flow JSON: line 2: .*JSON"),
    (b"[]", "a Flow JSON is a JSON object"),
    (b"\xff", "not UTF-8"),
    (json.dumps({"version": "9.9", "screens": []}), r"it needs a version, a text which is one of 2\.1"),
    (json.dumps({"version": 7.3, "screens": []}), "it needs a version, a text"),
    (json.dumps({"version": "7.3"}), "it needs a list of screens"),
    ({"version": "7.3", "screens": [], "x": "\ud800"}, "lone surrogate"),
)


@pytest.mark.parametrize(("source", "reason"), UNREADABLE, ids=[reason for _, reason in UNREADABLE])
def test_what_is_no_flow_json_is_refused_with_the_reason(source: Any, reason: str) -> None:
    """And its line."""
    with pytest.raises(ConfigurationError, match=reason):
        from_json(source)
