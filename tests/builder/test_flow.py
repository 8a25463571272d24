"""A Flow: its screens, its routes, its versions; it is its own JSON, and is checked with the names of its objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.support import Scene, answer
from whatsapp_flows import FlowsClient
from whatsapp_flows.builder import (
    Complete,
    Component,
    Data,
    DataExchange,
    Dropdown,
    EmbeddedLink,
    Flow,
    FlowBuildError,
    Footer,
    Form,
    If,
    Navigate,
    NavigationContent,
    NavigationItem,
    NavigationList,
    OptIn,
    Option,
    Raw,
    Screen,
    Switch,
    TextBody,
    TextInput,
    from_json,
)
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.flow_json import validate
from whatsapp_flows.play import start, view


def go(target: Any) -> Footer:
    """A Footer that leads to a screen."""
    return Footer(label="Go", on_click_action=Navigate(target, {}))


END: Final = Footer(label="Done", on_click_action=Complete({}))


def routes(*screens: Screen, **options: Any) -> Any:
    """The routing model of a Flow with an endpoint."""
    return Flow(version="7.3", data_api_version="3.0", screens=screens, **options).to_dict().get("routing_model")


def test_the_routing_model_is_inferred_from_navigations() -> None:
    """Wherever they stand; one direction of a pair; every screen is a key."""
    link = EmbeddedLink(text="More", on_click_action=Navigate("MORE", {}))
    back = EmbeddedLink(text="Back", on_click_action=Navigate("A", {}))
    shown = Data("shown", True)
    opt = OptIn(name="o", label="O", on_click_action=Navigate("TERMS", {}))
    found = routes(
        Screen(
            "A", title="T", children=[If(shown, then=[link]), Form(name="f", children=[opt]), go("B")], data=[shown]
        ),
        Screen("B", title="T", children=[back, END], terminal=True),
        Screen("MORE", title="T", children=[go("B")]),
        Screen("TERMS", title="T", children=[]),
    )
    assert found == {"A": ["MORE", "TERMS", "B"], "B": [], "MORE": ["B"], "TERMS": []}


def test_items_of_a_list_lead_on_too() -> None:
    """Each with its own action."""
    items = [
        NavigationItem(id=each, main_content=NavigationContent(title=each), on_click_action=Navigate(each, {}))
        for each in ("B", "C")
    ]
    listed = Screen("A", title="T", children=[NavigationList(name="n", list_items=items)])
    ends = [Screen(each, title="T", terminal=True, children=[END]) for each in ("B", "C")]
    assert routes(listed, *ends) == {"A": ["B", "C"], "B": [], "C": []}


def test_what_an_endpoint_decides_cannot_be_inferred() -> None:
    """Then the model is given."""
    asks = Screen("A", title="T", children=[Footer(label="Go", on_click_action=DataExchange({}))])
    end = Screen("B", title="T", terminal=True, children=[Footer(label="Go", on_click_action=DataExchange({}))])
    with pytest.raises(FlowBuildError, match="give routing_model: from A the endpoint decides"):
        routes(asks, end)
    assert routes(asks, end, routing_model={"A": ("B",), "B": []}) == {"A": ["B"], "B": []}
    assert routes(asks, end, routing_model=None) is None


def test_a_flow_without_an_endpoint_has_no_routing_model() -> None:
    """Unless one is given."""
    assert "routing_model" not in Flow(version="7.3", screens=[Screen("A", children=[END])])
    given = Flow(version="7.3", screens=[Screen("A", children=[END])], routing_model={"A": []})
    assert given["routing_model"] == {"A": []}


@pytest.mark.parametrize("version", ["7", "7.9", "1.0", "", "latest", 7.3, None])
def test_an_unknown_version_is_refused(version: Any) -> None:
    """When the Flow is made, with those that exist."""
    with pytest.raises(FlowBuildError, match=r"no Flow JSON version .*7\.3"):
        Flow(version=version, screens=[])


CHOICES: Final[Mapping[str, Any]] = {
    "input_type": lambda: TextInput(name="a", label="A", input_type="emial"),  # type: ignore[arg-type]
    "font_weight": lambda: TextBody(text="a", font_weight="heavy"),  # type: ignore[arg-type]
    "media_size": lambda: NavigationList(name="a", list_items=[], media_size="huge"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", CHOICES)
def test_a_value_out_of_a_closed_list_is_checked_at_once(case: str) -> None:
    """For those whose type checker is not on."""
    with pytest.raises(FlowBuildError, match="is one of"):
        CHOICES[case]()


MODELS: Final[tuple[tuple[Any, dict[str, Any]], ...]] = (
    ("x", {"type": "string"}),
    (True, {"type": "boolean"}),
    (3, {"type": "number"}),
    (3.5, {"type": "number"}),
    ([], {"type": "array"}),
    (["a"], {"type": "array", "items": {"type": "string"}}),
    (
        {"a": {"b": 1}},
        {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": "number"}}}}},
    ),
    (
        [{"id": "1", "title": "One"}],
        {
            "type": "array",
            "items": {"type": "object", "properties": {"id": {"type": "string"}, "title": {"type": "string"}}},
        },
    ),
)


@pytest.mark.parametrize(("example", "schema"), MODELS, ids=[str(example) for example, _ in MODELS])
def test_a_data_model_comes_from_examples(example: Any, schema: dict[str, Any]) -> None:
    """The first item of a list stands for all."""
    screen = Screen("A", title="T", data=[Data("x", example)], children=[])
    assert Flow(version="7.3", screens=[screen])["screens"][0]["data"] == {"x": {**schema, "__example__": example}}


def test_a_data_model_may_be_given() -> None:
    """As a type, or as a whole schema."""
    fields = [Data("a", 1, type="integer"), Data("b", "x", schema={"type": "string", "enum": ["x", "y"]})]
    assert Flow(version="7.3", screens=[Screen("A", data=fields)])["screens"][0]["data"] == {
        "a": {"type": "integer", "__example__": 1},
        "b": {"type": "string", "enum": ["x", "y"], "__example__": "x"},
    }


MISTAKES: Final[Mapping[str, tuple[Any, str]]] = {
    "two fields of one name": (
        lambda: Screen("A", data=[Data("x", 1), Data("x", 2)]),
        "two fields of data are called 'x'",
    ),
    "no field": (lambda: Screen("A", data=[1]), "data is a list of Data"),  # type: ignore[list-item]
    "no component": (lambda: Screen("A", children=["x"]), "a component is needed here"),  # type: ignore[list-item]
    "an option as a child": (lambda: Screen("A", children=[Option(id="a", title="b")]), "a component is needed"),  # type: ignore[list-item]
    "children that are no list": (lambda: Screen("A", children=[Form(name="f", children="x")]), "stand in a list"),  # type: ignore[arg-type]
    "a date": (lambda: Screen("A", children=[TextBody(text=object())]), "an object has no JSON form"),  # type: ignore[arg-type]
    "a text as a value": (
        lambda: Screen("A", children=[Footer(label="x", on_click_action=Complete({"x": TextBody(text="y")}))]),
        "a TextBody has no value",
    ),
    "no name": (lambda: Screen("A", children=[TextInput(name="", label="x")]), "a text that is not empty"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake: str) -> None:
    """When the object is made, or when the Flow is written."""
    make, message = MISTAKES[mistake]
    with pytest.raises(FlowBuildError, match=message):
        Flow(version="7.3", screens=[make()]).to_dict()


def test_a_component_within_itself_is_an_error() -> None:
    """Not a crash."""
    form = Form(name="f", children=[])
    form.properties["children"] = [form]
    with pytest.raises(FlowBuildError, match="nested too deeply"):
        Flow(version="7.3", screens=[Screen("A", children=[form])]).to_dict()


@pytest.mark.parametrize("beside", [TextBody(text="x"), Raw({})], ids=["components", "raw JSON"])
def test_components_are_nested_to_one_depth(beside: Component | Raw) -> None:
    """Whatever stands beside them: 100 levels, not 101."""
    component: Component = TextBody(text="x")
    for _ in range(99):
        component = Form(name="f", children=[component])
    assert Flow(version="7.3", screens=[Screen("A", children=[component, beside])]).to_json()
    component = Form(name="f", children=[component])
    with pytest.raises(FlowBuildError, match="nested too deeply"):
        Flow(version="7.3", screens=[Screen("A", children=[component, beside])]).to_json()


def test_raw_json_may_stand_anywhere() -> None:
    """As a screen, a component, a property, an action, an item, a list of components."""
    raw_screen: dict[str, Any] = {"id": "RAW", "title": "R", "layout": {"type": "SingleColumnLayout", "children": []}}
    children: list[Component | Raw] = [
        Raw({"type": "NewComponent"}),
        TextBody(text=Raw(["a", "b"])),
        Dropdown(name="d", label="D", data_source=[Raw({"id": "a"}), Option(id="b", title="B")]),
        Form(name="f", children=Raw("${data.children}")),
        Footer(label="Go", on_click_action=Raw({"name": "new_action"})),
    ]
    flow = Flow(
        version="7.3",
        screens=[Screen("A", title="T", children=children, more={"new": Raw(1)}), Raw(raw_screen)],
        more={"meta": {"x": 1}},
    ).to_dict()
    found = flow["screens"][0]["layout"]["children"]
    assert found[0] == {"type": "NewComponent"}
    assert found[1]["text"] == ["a", "b"]
    assert found[2]["data-source"] == [{"id": "a"}, {"id": "b", "title": "B"}]
    assert found[3]["children"] == "${data.children}"
    assert found[4]["on-click-action"] == {"name": "new_action"}
    assert (flow["screens"][0]["new"], flow["screens"][1], flow["meta"]) == (1, raw_screen, {"x": 1})


def test_cases_of_a_switch() -> None:
    """Each a list of components."""
    kind = Data("kind", "a")
    switch = Switch(kind, cases={"a": [TextBody(text="A")], "default": [TextBody(text=kind)]})
    flow = Flow(version="7.3", screens=[Screen("A", data=[kind], children=[switch])])
    assert flow["screens"][0]["layout"]["children"][0] == {
        "type": "Switch",
        "value": "${data.kind}",
        "cases": {"a": [{"type": "TextBody", "text": "A"}], "default": [{"type": "TextBody", "text": "${data.kind}"}]},
    }


def test_sensitive_takes_inputs_or_names() -> None:
    """The names stand in the document."""
    name = TextInput(name="name", label="Name")
    screen = Screen("A", title="T", sensitive=[name, "other"], children=[name])
    assert Flow(version="7.3", screens=[screen])["screens"][0]["sensitive"] == ["name", "other"]


# -- a Flow is its own JSON


def booking() -> Flow:
    """A valid Flow."""
    name = TextInput(name="name", label="Name", required=True)
    return Flow(
        version="7.3",
        screens=[
            Screen(
                "START",
                title="Book",
                terminal=True,
                children=[name, Footer(label="Book", on_click_action=Complete({"name": name}))],
            )
        ],
    )


def test_what_takes_a_flow_json_takes_a_flow() -> None:
    """The client, the validator, the emulator, the player, `from_json`."""
    flow = booking()
    assert validate(flow).ok
    assert from_json(flow).to_dict() == flow.to_dict()
    assert view(start(flow).session).title == "Book"
    scene = Scene(answer({"success": True, "validation_errors": []}))
    assert scene.client.update_flow_json("1", flow).success
    assert json.dumps(flow.to_dict(), separators=(",", ":")).encode() in (scene.transport.requests[0].body or b"")
    with Emulator() as meta, FlowsClient("token", meta.waba_id, base_url=meta.url) as client:
        created = client.create_flow("booking", ["OTHER"], flow_json=flow)
        assert json.loads(client.download_flow_json(created.id)) == flow


def test_to_dict_is_a_copy() -> None:
    """Changing it leaves the Flow as it is."""
    flow = booking()
    flow.to_dict()["screens"].clear()
    assert len(flow["screens"]) == 1


def test_check_names_the_python_object() -> None:
    """Beside the path of each finding."""
    name = TextInput(name="name", label="A label that is far too long to be shown")
    unused = Data("unused", "x")
    screen = Screen("START", title="T", data=[unused], terminal=True, children=[name])
    report = Flow(version="7.3", screens=[screen]).check()
    named = {issue.error: issue.message for issue in report.issues}
    assert not report.ok
    assert named["MISSING_FOOTER_ON_TERMINAL_SCREEN"].endswith("(Screen('START'))")
    assert named["UNUSED_DATA_FIELD"].endswith("(Data('unused') of Screen('START'))")
    assert any(message.endswith("(TextInput(name='name') of Screen('START'))") for message in named.values())


def test_the_repr_is_short() -> None:
    """What an error message and a debugger show."""
    flow = booking()
    assert repr(flow) == "Flow(version='7.3', screens=[Screen('START')])"
    assert [repr(child) for child in flow.screens[0].children] == ["TextInput(name='name')", "Footer()"]  # type: ignore[union-attr]
