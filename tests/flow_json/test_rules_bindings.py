"""References, expressions, conditions and data models: what each rule finds, and where."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.flow_json.rules_support import BY_ID, build, check, complete
from whatsapp_flows.flow_json.schema import json_equal, plain_schema, schema_failures

CODE = "INVALID_SCREEN_DYNAMIC_DATA"
VALUE = "INVALID_PROPERTY_VALUE"
DATA = "INVALID_SCREEN_DATA"
Found = list[tuple[str, str]]

S, N, W, B = {"type": "string"}, {"type": "number"}, {"type": "integer"}, {"type": "boolean"}
OBJECT = {"type": "object", "properties": {"p": S}}
TEXTS = {"type": "array", "items": S}


def listed(**properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "object", "properties": properties}}


ITEMS = listed(id=S, title=S)
MODEL = {"s": S, "n": N, "i": W, "b": B, "o": OBJECT, "t": TEXTS, "l": ITEMS, "a": {"type": "array"}, "a-b": S}


def one(kind: str, **properties: Any) -> dict[str, Any]:
    """A component on a screen with a data model; underscores stand for hyphens."""
    return {"type": kind, **{key.replace("_", "-"): value for key, value in properties.items()}}


@pytest.mark.parametrize(
    ("version", "component", "expected"),
    [
        ("2.1", one("TextBody", text="${data.s}"), []),
        ("2.1", one("TextBody", text="${data.q}"), [(CODE, "0/0.text")]),
        ("7.1", one("TextBody", text="${data.q}"), [(CODE + "?", "0/0.text")]),
        ("7.3", one("TextBody", text="${data.o.p}"), []),
        ("7.3", one("TextBody", text="${data.o.q}"), [(CODE, "0/0.text")]),
        ("7.3", one("TextBody", text="${data.s.q}"), [(CODE, "0/0.text")]),
        ("7.3", one("TextBody", text="${data.t.q}"), [(CODE, "0/0.text")]),
        ("7.3", one("TextBody", text="${data.a-b}"), [(CODE, "0/0.text")]),
        ("7.3", one("TextBody", text="${data.q r}"), [(CODE, "0/0.text")]),
        ("7.3", one("TextBody", text="${form.in-put}"), []),
        ("7.3", one("TextBody", text="${form.q}"), [(CODE, "0/0.text")]),
        ("7.3", one("TextBody", text="${form.f}"), [(CODE, "0/0.text")]),
        ("7.3", one("TextBody", text="${screen.A.data.s}"), [(CODE, "0/0.text")]),
        ("7.3", one("TextBody", text="${screen.Q.data.s}"), [(CODE, "0/0.text")]),
        ("7.3", one("TextBody", text="${screen.B.data.x}"), []),
        ("7.3", one("TextBody", text="${screen.B.form.x}"), [(CODE, "0/0.text")]),
        ("7.3", one("TextBody", text="${data.q} and more"), []),
        ("7.3", one("Dropdown", data_source=[{"id": "1", "enabled": "${data.q}"}]),
         [(CODE + "?", "0/0.data-source.0.enabled")]),
        ("7.3", one("CalendarPicker", label={"start-date": "${data.q}"}), [(CODE + "?", "0/0.label.start-date")]),
        ("5.1", one("Form", init_values="${data.q}"), [(CODE, "0/0.init-values")]),
        ("6.0", one("Form", init_values="${data.q}"), [(CODE + "?", "0/0.init-values")]),
        ("7.3", one("Form", init_values={"a": "${data.q}"}), []),
        ("7.3", one("Switch", value="${data.q}"), [(CODE, "0/0.value")]),
    ],
)  # fmt: skip
def test_references(version: str, component: dict[str, Any], expected: Found) -> None:
    """A reference stands for something, and is written as it must be."""
    others = [{"type": "TextInput", "name": "in-put"}, {"type": "Form", "name": "f"}, {"type": "Form", "name": 5}]
    screens = [{"data": MODEL, "children": [component, *others]}, {"data": {"x": S}}]
    assert check("FJ401", {"screens": screens}, version) == expected


def test_references_in_titles_are_advice() -> None:
    """A title may refer to another screen; whether Meta checks it is not known."""
    screens = [{"title": "${screen.B.data.x}"}, {"title": "${data.q}"}, {"title": "$5"}]
    assert check("FJ401", {"screens": screens}) == [(CODE + "?", "screens.0.title"), (CODE + "?", "screens.1.title")]


CONSTANT = {"type": "object", "properties": {"name": {"type": "string", "const": "data_exchange"}}}
RIGHT = {"type": "object", "properties": {"name": {"type": "string", "const": "update_data"}}}


@pytest.mark.parametrize(
    ("version", "component", "data", "wrong"),
    [
        ("7.3", one("TextBody", text="${data.a}", visible="${data.b}"), {"a": S, "b": B}, []),
        ("7.3", one("TextBody", text="${data.a}"), {"a": TEXTS}, []),
        ("7.3", one("TextBody", text="${data.a}"), {"a": {"type": "array", "items": N}}, ["text"]),
        ("7.3", one("TextHeading", text="${data.a}"), {"a": N}, ["text"]),
        ("7.3", one("TextInput", max_chars="${data.a}"), {"a": W}, ["max-chars"]),
        ("7.3", one("TextArea", max_length="${data.a}"), {"a": W}, []),
        ("7.3", one("TextArea", max_length="${data.a}"), {"a": N}, ["max-length"]),
        ("7.3", one("OptIn", init_value="${data.a}"), {"a": B}, []),
        ("7.3", one("CheckboxGroup", init_value="${data.a}"), {"a": S}, ["init-value"]),
        ("7.3", one("PhotoPicker", error_message="${data.a}"), {"a": OBJECT}, []),
        ("7.3", one("Switch", value="${data.a}"), {"a": N}, ["value"]),
        ("7.3", one("CalendarPicker", label="${data.a}"), {"a": S}, []),
        ("7.3", one("CalendarPicker", label="${data.a}", mode="range"), {"a": S}, ["label"]),
        ("7.3", one("CalendarPicker", label="${data.a}", mode="${data.m}"), {"a": OBJECT, "m": S}, []),
        ("7.3", one("DatePicker", unavailable_dates="${data.a}"), {"a": TEXTS}, []),
        ("7.3", one("DatePicker", unavailable_dates="${data.a}"), {"a": {"type": "array", "items": W}},
         ["unavailable-dates"]),
        ("7.3", one("DatePicker", unavailable_dates="${data.a}"), {"a": {"type": "array", "items": True}}, []),
        ("7.3", one("Dropdown", data_source="${data.a}"), {"a": ITEMS}, []),
        ("7.3", one("Dropdown", data_source="${data.a}"), {"a": OBJECT}, ["data-source"]),
        ("7.3", one("Dropdown", data_source="${data.a}"), {"a": TEXTS}, ["data-source"]),
        ("7.3", one("Dropdown", data_source="${data.a}"), {"a": listed(id=S)}, ["data-source"]),
        ("7.3", one("Dropdown", data_source="${data.a}"), {"a": listed(id=S, title=N)}, ["data-source"]),
        ("7.3", one("Dropdown", data_source="${data.a}"), {"a": {"type": "array", "items": {"type": "object"}}},
         ["data-source"]),
        ("6.0", one("Dropdown", data_source="${data.a}"), {"a": listed(id=S, title=S, **{"on-select-action": RIGHT})},
         []),
        ("6.0", one("Dropdown", data_source="${data.a}"), {"a": listed(id=S, title=S,
         **{"on-select-action": CONSTANT})},
         ["data-source"]),
        ("5.1", one("Dropdown", data_source="${data.a}"), {"a": listed(id=S, title=S,
         **{"on-select-action": CONSTANT})}, []),
        ("7.3", one("NavigationList", list_items="${data.a}"),
         {"a": listed(id=S, **{"main-content": {"type": "object", "properties": {"title": S}}})}, []),
        ("7.3", one("NavigationList", list_items="${data.a}"), {"a": listed(id=S, **{"main-content": OBJECT})},
         ["list-items"]),
        ("7.3", one("NavigationList", list_items="${data.a}"), {"a": listed(id=S, **{"main-content": S})},
         ["list-items"]),
        ("7.3", one("TextBody", text="${form.x}", markdown="${data.a}"), {"a": S}, []),
        ("7.3", one("TextBody", text="${data.q}"), {}, []),
        ("7.3", one("Dropdown", data_source="${form.c}"), {}, []),
    ],
)  # fmt: skip
def test_types_of_references(version: str, component: dict[str, Any], data: dict[str, Any], wrong: list[str]) -> None:
    """A property takes references of its own type; lists take items with the right keys."""
    others = [{"type": "TextInput", "name": "x"}, {"type": "CheckboxGroup", "name": "c"}]
    found = check("FJ402", {"data": data, "children": [component, *others]}, version)
    assert found == [(CODE, f"0/0.{name}") for name in wrong]


def test_types_inside_of_items_are_advice() -> None:
    """Whether Meta types references inside of items is not known: faults there are warnings."""
    fragment = {
        "data": MODEL,
        "children": [one("Dropdown", data_source=[{"enabled": "${data.s}", "image": "${data.s}"}])],
    }
    assert check("FJ402", fragment) == [(CODE + "?", "0/0.data-source.0.enabled")]
    assert check("FJ402", {"data": MODEL, "children": [one("Form", init_values="${data.s}")]}) == [
        (CODE + "?", "0/0.init-values")
    ]
    assert check("FJ402", {"data": MODEL, "children": [one("TextBody", visible="${data.s}")]}, "7.1") == [
        (CODE + "?", "0/0.visible")
    ]


@pytest.mark.parametrize(
    ("version", "component", "wrong"),
    [
        ("6.0", one("TextBody", text="`'a' ${data.n}`"), []),
        ("6.0", one("TextBody", text="`${data.n}`"), ["~0/0.text"]),
        ("5.1", one("TextBody", text="`${data.n}`"), []),
        ("7.1", one("TextBody", visible="`${data.n} > 3`"), []),
        ("7.3", one("TextBody", visible="`${data.n}`"), ["~0/0.visible"]),
        ("7.3", one("TextArea", max_length="`${data.i}`"), []),
        ("7.3", one("TextArea", max_length="`1 + 2`"), ["~0/0.max-length"]),
        ("7.3", one("TextArea", max_length="`5 % 2`"), []),
        ("7.3", one("TextInput", max_chars="`1 + 2`"), []),
        ("7.3", one("TextBody", text="`${data.q} 'a'`"), ["~0/0.text"]),
        ("7.3", one("TextBody", text="`${data.q}`"), ["~0/0.text"]),
        ("7.3", one("TextBody", text="`'a'"), []),
        ("7.3", one("TextBody", text="`+`"), ["~0/0.text"]),
        ("7.3", one("TextInput", init_value="`+`", error_message="`+`"), []),
        ("7.3", one("Dropdown", data_source="`${data.l}`"), []),
        ("7.3", one("If", condition="`${data.b}`"), []),
        ("7.3", one("If", condition="`${data.s}`"), ["~0/0.condition"]),
        ("7.3", one("If", condition="${data.s}"), []),
        ("7.3", one("If", condition=True), []),
    ],
)  # fmt: skip
def test_expressions(version: str, component: dict[str, Any], wrong: list[str]) -> None:
    """An expression gives the type that its property takes, compared by name."""
    assert check("FJ403", {"data": MODEL, "children": [component]}, version) == [(VALUE, place) for place in wrong]


def test_an_invalid_expression_is_reported_everywhere() -> None:
    """An expression is parsed once; each place that has it is reported."""
    found = check("FJ403", {"children": [one("TextBody", text="`1 +`"), one("TextBody", text="`1 +`")]})
    assert found == [(VALUE, "~0/0.text"), (VALUE, "~0/1.text")]


@pytest.mark.parametrize(
    ("rule_id", "version", "component", "expected"),
    [
        ("FJ404", "6.0", one("RichText", text="${data.s}"), []),
        ("FJ404", "6.0", one("RichText", text="`'a' ${data.s}`"), []),
        ("FJ404", "6.0", one("RichText", text="costs $5"), []),
        ("FJ404", "6.0", one("RichText", text=["a ${data.s}"]), []),
        ("FJ404", "6.0", one("RichText", text="${data.s}!"), [(VALUE, "~0/0.text")]),
        ("FJ404", "5.1", one("RichText", text="${data.s}!"), []),
        *(("FJ405", "7.3", one("RichText", text=["a", text, 5]), [("INVALID_TEXT_DYNAMIC_DATA", "0/0.type")])
          for text in ("${data.s}", "${form.a}", "${screen.A.data.s}", "${external_data.x}")),
        *(("FJ405", "7.3", one("RichText", text=["a", text]), [])
          for text in ("b ${data.s}", "${data.s} b", " ${data.s}", "`${data.s}`", "${data.s}${data.s}", "${x.s}", "$")),
        ("FJ405", "5.1", one("TextCaption", text=["a"]), []),
        ("FJ410", "4.0", one("If", condition="${data.n} > 3"), []),
        ("FJ410", "4.0", one("If", condition="${data.i} > 3"), [(VALUE, "0/0.condition")]),
        ("FJ410", "5.1", one("If", condition="`${data.b}`"), [(VALUE, "0/0.condition")]),
        ("FJ410", "6.0", one("If", condition="`${data.s}`"), []),
        ("FJ410", "6.0", one("If", condition=""), [(VALUE, "0/0.condition")]),
        ("FJ410", "7.1", one("If", condition="${data.q}"), [(VALUE + "?", "0/0.condition")]),
        ("FJ410", "7.3", one("If", condition=False), []),
        ("FJ411", "4.0", one("If", then=[]), [(VALUE, "0/0.then")]),
        ("FJ412", "4.0", one("Switch", cases={}), [(VALUE, "0/0.cases")]),
    ],
)  # fmt: skip
def test_texts_and_branches(rule_id: str, version: str, component: dict[str, Any], expected: Found) -> None:
    """RichText and arrays of text do not mix static and dynamic text; conditions and branches are complete."""
    assert check(rule_id, {"data": MODEL, "children": [component]}, version) == expected


def test_a_message_names_the_column() -> None:
    """The column counts from 0 inside of the condition, as in Meta's own message."""
    document = build(complete({"children": [one("If", condition="1 == 1")]}))
    assert [finding.message for finding in BY_ID["FJ410"].check(document)] == [
        "The condition '1 == 1' is wrong: == has literals on both sides at column 2."
    ]


def deep(levels: int) -> dict[str, Any]:
    return {"type": "If", "then": [deep(levels - 1)] if levels > 1 else []}


FOOTER = {"type": "Footer"}
IF, SWITCH = "MISSING_FOOTER_IN_IF_ELSE_BRANCHES?", "MISSING_FOOTER_IN_SWITCH_BRANCHES?"


@pytest.mark.parametrize(
    ("rule_id", "children", "expected"),
    [
        ("FJ413", [deep(3), deep(3)], []),
        ("FJ413", [deep(5), deep(2), deep(4)], [("MAXIMUM_IF_NESTING", "0/0"), ("MAXIMUM_IF_NESTING", "0/2")]),
        ("FJ414", [FOOTER, deep(2)], []),
        ("FJ414", [one("If", then=[FOOTER], **{"else": [FOOTER]})], []),
        ("FJ414", [one("If", then=[FOOTER], **{"else": []})], [(IF, "0/0")]),
        ("FJ414", [one("If", then=[one("If", then=[FOOTER], **{"else": [FOOTER]})])], [(IF, "0/0.then.0")]),
        ("FJ415", [one("Switch", cases={"a": [FOOTER], "b": [FOOTER]})], []),
        ("FJ415", [one("Switch", cases={"a": [], "b": []}), FOOTER], []),
        ("FJ415", [{"type": "Form", "children": [one("Switch", cases={"a": [], "b": [FOOTER]})]}], [(SWITCH, "0/0/0")]),
    ],
)  # fmt: skip
def test_nesting(rule_id: str, children: list[dict[str, Any]], expected: Found) -> None:
    """If in If, and Footers in branches, which are rules of the documentation only."""
    assert check(rule_id, {"children": children}) == expected


AT = "screens.0.data.f"


@pytest.mark.parametrize(
    ("rule_id", "field", "expected"),
    [
        ("FJ501", {}, [(DATA, AT)]),
        ("FJ501", {"type": ["string"]}, [(DATA, AT + ".type")]),
        ("FJ501", {"type": "array"}, [(DATA, AT)]),
        ("FJ501", {"type": "array", "items": 5}, [(DATA + "?", AT)]),
        ("FJ501", {"type": "array", "items": True}, []),
        ("FJ501", {"type": "array", "items": {}}, [(DATA, AT + ".items")]),
        ("FJ501", {"type": "array", "items": {"type": "array", "items": {}}}, [(DATA, AT + ".items.items")]),
        ("FJ501", {"type": "object", "properties": {"a": {"type": "array"}, "b": {}}}, [(DATA, AT + ".properties.a")]),
        ("FJ501", {"type": "string"}, []),
        ("FJ501", "text", []),
        ("FJ502", {**TEXTS, "__example__": ["x"]}, []),
        ("FJ502", {"type": "array", "items": {"type": "string", "__example__": "x"}},
         [(DATA, "~" + AT + ".items.__example__")]),
        ("FJ503", {"type": "null"}, [(DATA, AT + ".__example__")]),
        ("FJ503", {"type": "string", "enum": "a"}, [(DATA, AT + ".__example__")]),
        ("FJ503", {"type": "object", "properties": []}, [(DATA, AT + ".__example__")]),
        ("FJ503", {"type": "array", "items": {"type": "any"}}, [(DATA, AT + ".__example__")]),
        ("FJ504", {"type": "any", "__example__": 5}, []),
        ("FJ504", {"type": "integer", "__example__": 5.0}, []),
        ("FJ504", {"type": "integer", "__example__": True}, [("INVALID_PROPERTY_TYPE", AT + ".__example__")]),
        ("FJ504", {"type": "string"}, []),
        ("FJ504", {"type": "string", "enum": ["a"], "__example__": "b"}, [("INVALID_ENUM_VALUE", AT + ".__example__")]),
        ("FJ504", {"type": "number", "enum": [1], "__example__": 1.0}, []),
        ("FJ504", {"type": "boolean", "enum": [1], "__example__": True}, [("INVALID_ENUM_VALUE", AT + ".__example__")]),
        ("FJ504", {**OBJECT, "enum": [{"p": ["x", None]}], "__example__": {"p": ["x", 0]}},
         [("INVALID_ENUM_VALUE", AT + ".__example__")]),
        ("FJ504", {"type": "object", "enum": [{"p": ["x"], "q": {}}], "__example__": {"q": {}, "p": ["x"]}}, []),
        ("FJ504", {"type": "string", "const": "a", "__example__": "b"},
         [("INVALID_PROPERTY_VALUE", AT + ".__example__")]),
        ("FJ504", {"type": "object", "required": ["a"], "__example__": {}},
         [("MISSING_REQUIRED_PROPERTY", AT + ".__example__")]),
        ("FJ504", {**OBJECT, "__example__": {"p": 5}}, [("INVALID_PROPERTY_TYPE", AT + ".__example__")]),
        ("FJ504", {**OBJECT, "__example__": {"more": 5}}, []),
        ("FJ504", {**OBJECT, "additionalProperties": False, "__example__": {"q": 5}},
         [("INVALID_PROPERTY_KEY", AT + ".__example__")]),
        ("FJ504", {**TEXTS, "__example__": ["a", 5]}, [("INVALID_PROPERTY_TYPE", AT + ".__example__")]),
        ("FJ504", {**TEXTS, "minItems": 1, "__example__": []}, [("MIN_ITEMS_REQUIRED", AT + ".__example__")]),
        ("FJ504", {**TEXTS, "maxItems": 1, "__example__": ["a", "b"]}, [("MAX_ITEMS_REQUIRED", AT + ".__example__")]),
        ("FJ504", {"type": "string", "minLength": 2, "__example__": "a"},
         [("MIN_CHARS_REQUIRED", AT + ".__example__")]),
        ("FJ504", {"type": "string", "maxLength": 2, "__example__": "abc"}, [("INVALID_SCHEMA", AT + ".__example__")]),
        ("FJ504", {"type": "number", "minimum": 2, "__example__": 1},
         [("MINIMUM_VALUE_REQUIRED", AT + ".__example__")]),
        ("FJ504", {"type": "number", "maximum": 2, "__example__": 3},
         [("MAXIMUM_VALUE_REQUIRED", AT + ".__example__")]),
        ("FJ504", {"type": "array", "items": False, "__example__": [1]}, [("INVALID_SCHEMA", AT + ".__example__")]),
    ],
)  # fmt: skip
def test_data_models(rule_id: str, field: Any, expected: Found) -> None:
    """A field is a schema, and its example fits."""
    assert check(rule_id, {"data": {"f": field, "required": ["f"]}}) == expected


@pytest.mark.parametrize(
    ("value", "schema", "reasons"),
    [
        ({"a": 1}, {"properties": {"a": {"type": "string"}}}, ["a is of type integer, not string"]),
        ({"a": [1, "x"]}, {"properties": {"a": {"items": {"type": "string"}}}},
         ["a[0] is of type integer, not string"]),
        ({"b": 1, "a": 1, "c": 1},
         {"properties": {"a": {"const": 2}, "b": {"const": 2}}, "additionalProperties": False},
         ["b is not the value of const", "a is not the value of const", "it may not have 'c'"]),
        ({"b": 1}, {"required": ["a", "b", "c"]}, ["it lacks a, c"]),
        ([1], {"items": False}, ["[0] must not be there"]),
        (1, {"type": ["string", "null"]}, ["it is of type integer, not string or null"]),
        ({"a": 1}, {"properties": {"a": {}}, "additionalProperties": False}, []),
        ("abc", {"minimum": 5, "minItems": 5, "required": ["a"], "additionalProperties": False}, []),
        (1, {"minimum": "x", "maximum": None, "enum": "x", "type": [5]}, []),
        (1, True, []),
    ],
)  # fmt: skip
def test_reasons(value: Any, schema: Any, reasons: list[str]) -> None:
    """A failure gives the reason and the place."""
    assert [found.reason for found in schema_failures(value, schema)] == reasons


TYPES = ["string", "boolean", "integer", "number", "array", "object"]
SCHEMAS = st.recursive(
    st.fixed_dictionaries({"type": st.sampled_from([*TYPES, "x"])}),
    lambda inner: st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner | st.booleans()}
    ) | st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2)},
        optional={"required": st.lists(st.sampled_from("ab")), "maximum": st.just(1), "description": st.just("")},
    ),
    max_leaves=4,
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


def values_of(schema: Any) -> st.SearchStrategy[Any]:
    """Values that mostly fit a schema."""
    if schema is True or schema is False:
        return JSON
    return {
        "string": st.text(max_size=1),
        "boolean": st.booleans(),
        "integer": st.integers(),
        "number": st.integers() | st.floats(),
        "array": st.lists(values_of(schema.get("items", True)), max_size=3),
        "object": st.fixed_dictionaries(
            {}, optional={name: values_of(inner) for name, inner in schema.get("properties", {}).items()}
        ),
        "x": JSON,
    }[schema["type"]]


@given(st.data(), SCHEMAS)
def test_what_plainly_fits_has_no_failure(data: st.DataObject, schema: Any) -> None:
    """The fast check of many values never accepts what the slow one refuses, and misses little of what it accepts."""
    values = data.draw(st.lists(values_of(schema) | JSON, max_size=3))
    failing = [value for value in values if next(schema_failures(value, schema), None)]
    plain = plain_schema(schema)
    assert (plain is None) == any(word in str(schema) for word in ("maximum", "description", "'x'", "True", "False"))
    if plain is not None:
        assert not (plain.fits(values) and failing)
        assert plain.fits([value for value in values if value not in failing and not holds_whole_floats(value)])


def holds_whole_floats(value: Any) -> bool:
    """Whether there is a number such as 5.0 in a value, which the fast check leaves to the slow one."""
    if isinstance(value, (list, dict)):
        return any(map(holds_whole_floats, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and value.is_integer()


@pytest.mark.parametrize(
    "schema",
    [
        None, True, False, {}, {"type": ["string"]}, {"type": "string", "enum": ["x"]},
        {"type": "object", "required": "a"}, {"type": "object", "required": [{}]}, {"type": "object", "properties": []},
    ],
)  # fmt: skip
def test_what_is_not_plain_is_not_decided(schema: Any) -> None:
    """A schema with more than types and parts, or that is none, is left to the slow check."""
    assert plain_schema(schema) is None


def test_a_deep_schema_is_not_followed() -> None:
    """The fast check ends where the slow one does."""
    schema: dict[str, Any] = {"type": "array"}
    schema["items"] = schema
    assert plain_schema(schema) is None


def test_deep_examples_are_not_followed() -> None:
    """The check of an endlessly nested value ends."""
    value: Any = []
    schema: dict[str, Any] = {"type": "array"}
    schema["items"] = schema
    value.append(value)
    assert list(schema_failures(value, schema)) == []
    assert json_equal(value, [value])


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True), (1, True, False), (0, False, False), (True, True, True), ("a", "a", True), ([1], [True], False),
        ({"a": [0]}, {"a": [0.0]}, True), ({"a": 1}, {"b": 1}, False), ([1], [1, 2], False), (None, None, True),
    ],
)  # fmt: skip
def test_equality(left: Any, right: Any, equal: bool) -> None:
    """Values are equal as in JSON."""
    assert json_equal(left, right) is equal
