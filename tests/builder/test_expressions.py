"""Operators make expressions, in the dialect of the place where they stand, and mean what Python says."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_flows.builder import (
    CheckboxGroup,
    Complete,
    Component,
    Data,
    Dropdown,
    Expr,
    Flow,
    FlowBuildError,
    Footer,
    If,
    Navigate,
    OptIn,
    Option,
    Raw,
    Screen,
    Switch,
    TextBody,
    TextInput,
    own_value,
    text,
)
from whatsapp_flows.flow_json import Reference
from whatsapp_flows.play._evaluate import evaluate_condition, evaluate_expression

name = TextInput(name="name", label="Name")
age = TextInput(name="age", label="Age", input_type="number")
pin = TextInput(name="pin", label="PIN", input_type="passcode")
terms = OptIn(name="terms", label="Terms")
size = Dropdown(name="size", label="Size", data_source=[Option(id="s", title="S"), Option(id="l", title="L")])
extras = CheckboxGroup(name="extras", label="Extras", data_source=[Option(id="a", title="A")])
price = Data(name="price", example=12.5)
count = Data(name="count", example=3)
paid = Data(name="paid", example=True)
city = Data(name="city", example="Accra")
customer = Data(name="customer", example={"name": "Ada", "address": {"street": "High Street", "number": 1}})
INPUTS: Final = (name, age, pin, terms, size, extras)
FIELDS: Final[tuple[Data[Any], ...]] = (price, count, paid, city, customer)


def flow_with(*children: Component | Raw, version: str = "7.3", more: tuple[Screen, ...] = ()) -> Flow:
    """A Flow of one screen with all inputs and fields, and these components before them."""
    footer = Footer(label="Go", on_click_action=Complete({}))
    start = Screen("START", title="T", data=FIELDS, terminal=True, children=[*children, *INPUTS, footer])
    return Flow(version=version, screens=[start, *more])


def written(expression: Any) -> Any:
    """How a value is written in a property."""
    return flow_with(TextBody(text=expression))["screens"][0]["layout"]["children"][0]["text"]


def condition(expression: Any) -> Any:
    """How a value is written as the condition of an If."""
    shown = If(expression, then=[TextBody(text="x")])
    return flow_with(shown)["screens"][0]["layout"]["children"][0]["condition"]


EXPRESSIONS: Final[tuple[tuple[Any, str], ...]] = (
    (name, "${form.name}"),
    (city, "${data.city}"),
    (customer["name"], "${data.customer.name}"),
    (customer["address"]["street"], "${data.customer.address.street}"),
    (name == "Ada", "`(${form.name} == 'Ada')`"),
    (name != city, "`(${form.name} != ${data.city})`"),
    (age.number > 17, "`(${form.age} > 17)`"),
    (
        17 < age.number,  # noqa: SIM300
        "`(${form.age} > 17)`",
    ),
    (price >= 2.5, "`(${data.price} >= 2.5)`"),
    (price * 2 + 1, "`((${data.price} * 2) + 1)`"),
    (1 + price, "`(1 + ${data.price})`"),
    (10 - price, "`(10 - ${data.price})`"),
    (2 * price, "`(2 * ${data.price})`"),
    (1 / price, "`(1 / ${data.price})`"),
    (7 % count, "`(7 % ${data.count})`"),
    (count % 2 == 0, "`((${data.count} % 2) == 0)`"),
    (-price, "`-${data.price}`"),
    (price + -1, "`(${data.price} + -1)`"),
    (~terms, "`!${form.terms}`"),
    (~(name == ""), "`!(${form.name} == '')`"),
    (terms & paid, "`(${form.terms} && ${data.paid})`"),
    ((name == "a") | (name == "b"), "`((${form.name} == 'a') || (${form.name} == 'b'))`"),
    ((price > 1) & (price < 5), "`((${data.price} > 1) && (${data.price} < 5))`"),
    (paid == True, "`(${data.paid} == true)`"),  # noqa: E712
    (text("Hello ", name, "!"), "`'Hello ' ${form.name} '!'`"),
    (text("Hello"), "`'Hello'`"),
    (text(name, price * 2), "`${form.name} '' (${data.price} * 2)`"),
    (text("a", price * 2), "`'a' (${data.price} * 2)`"),
    (text(name, -price), "`${form.name} '' (-${data.price})`"),
    (text("a", -5), "`'a' (-5)`"),
    (text(name, ~terms), "`${form.name} '' (!${form.terms})`"),
    (text("it's"), "`'it\\'s'`"),
    (text("a\\b`c"), "`'a\\\\b\\`c'`"),
    (text("a", text("b", name)), "`'a' ('b' ${form.name})`"),
    (text("😀 ", 1.5, True), "`'😀 ' 1.5 true`"),
)


@pytest.mark.parametrize(("made", "expected"), EXPRESSIONS, ids=[expected for _, expected in EXPRESSIONS])
def test_an_expression_is_written_with_all_its_parentheses(made: Any, expected: str) -> None:
    """A reference stands alone, everything else in backticks."""
    assert written(made) == expected


CONDITIONS: Final[tuple[tuple[Any, str], ...]] = (
    (terms, "${form.terms}"),
    (paid, "${data.paid}"),
    (~paid, "!${data.paid}"),
    (name == "", "(${form.name} == '')"),
    (age.number > 17, "(${form.age} > 17)"),
    (count == -1, "(${data.count} == -1)"),
    (price > 5.0, "(${data.price} > 5)"),
    ((name == "a") & (size == "s"), "((${form.name} == 'a') && (${form.size} == 's'))"),
    (terms & ~paid, "(${form.terms} && !${data.paid})"),
    ((name == 'say "hi"'), "(${form.name} == 'say \"hi\"')"),
)


@pytest.mark.parametrize(("made", "expected"), CONDITIONS, ids=[expected for _, expected in CONDITIONS])
def test_a_condition_is_written_without_backticks(made: Any, expected: str) -> None:
    """In backticks it would always be false; without its own parentheses, a comparison goes wrong (observed)."""
    assert condition(made) == expected


def own() -> Expr[bool]:
    """A comparison."""
    return name == "a"


MISUSED: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "and": (lambda: own() and own(), "write & for and"),
    "or": (lambda: own() or own(), "| for or"),
    "not": (lambda: not own(), "~ for not"),
    "chained": (lambda: 1 < price < 5, r"\(low < x\) & \(x < high\)"),
    "if": (lambda: 1 if own() else 2, "write & for and"),
    "bool": (lambda: bool(own()), "no value before"),
    "in": (lambda: "a" in name, "join comparisons with |"),
    "a list": (lambda: name in ["a", "b"], "no value before"),
    "iterated": (lambda: list(extras), "cannot be iterated"),
    "len": (lambda: len(extras), "length of an expression"),
    "f-string": (lambda: f"Hello {name}", r'write text\("Hello ", name\)'),
    "a number with a text": (lambda: price == "x", "compares a number with a string"),
    "a text with a number": (lambda: name == 3, "compares a string with a number"),
    "a text in order": (lambda: name > 3, r"use .number of a TextInput"),  # type: ignore[operator]
    "text in sums": (lambda: city + 1, "a number is needed"),  # type: ignore[operator]
    "a number as boolean": (lambda: price & paid, "a boolean is needed: compare"),  # type: ignore[misc]
    "None": (lambda: name == None, "has no null"),  # noqa: E711
    "a list compared": (lambda: name == ["a"], "a list cannot stand in an expression"),
    "the number of a text": (lambda: name.number, "input_type='number'"),
    "a field of no object": (lambda: city["x"], "is no object"),
    "an unknown field": (lambda: customer["nam"], "its fields: name, address"),
    "empty text": (text, "at least one part"),
    "null as an example": (lambda: Data("x", None), "cannot be an example"),
    "type and schema": (lambda: Data("x", 1, type="integer", schema={"type": "integer"}), "not both"),
}


@pytest.mark.parametrize("misuse", MISUSED)
def test_what_python_would_compute_at_once_is_refused(misuse: str) -> None:
    """With what to write instead."""
    make, remedy = MISUSED[misuse]
    with pytest.raises(FlowBuildError, match=remedy):
        make()


UNSAID: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "decimals": (lambda: If(price > 2.5, then=[]), "no decimals"),
    "sums": (lambda: If(price + 1 > 2, then=[]), "cannot calculate"),
    "minus": (lambda: If(-price > 2, then=[]), "cannot calculate"),
    "joined": (lambda: If(text("a", name) == "ab", then=[]), "cannot join texts"),
    "quote": (lambda: If(name == "it's", then=[]), "cannot have a quote"),
    "inner field": (lambda: If(customer["name"] == "x", then=[]), "at the top of a data model"),
    "list": (lambda: If(extras, then=[]), "only texts, numbers and booleans"),  # type: ignore[arg-type]
    "text": (lambda: If(name, then=[]), "is a boolean, and"),  # type: ignore[arg-type]
    "computed": (lambda: If(1 == 2, then=[]), "already known"),  # type: ignore[arg-type,comparison-overlap]
    "no expression": (lambda: If("x", then=[]), "is an expression, such as"),  # type: ignore[arg-type]
    "switch on a number": (lambda: Switch(price, cases={}), "use If with a comparison"),  # type: ignore[arg-type]
    "switch on an expression": (lambda: Switch(text("a"), cases={}), "is a reference"),
}


@pytest.mark.parametrize("case", UNSAID)
def test_what_a_condition_cannot_say_is_an_error_when_it_is_built(case: str) -> None:
    """Meta would refuse it, or a client would evaluate it to something else."""
    make, remedy = UNSAID[case]
    with pytest.raises(FlowBuildError, match=remedy):
        make()


LOST: Final = (
    ("a}b", "closing brace"),
    ("a\nb", "line break"),
    ("a\r\nb", "line break"),
    ("a\u2028b", "line break"),
)


@pytest.mark.parametrize(("lost", "reason"), LOST)
def test_a_text_that_clients_do_not_keep_is_refused(lost: str, reason: str) -> None:
    """In an expression; a plain text may have both."""
    with pytest.raises(FlowBuildError, match=reason):
        written(text("x", lost))
    assert written(lost) == lost


@pytest.mark.parametrize("number", [float("inf"), float("nan"), 0.12345678901])
def test_a_number_that_cannot_be_written_is_refused(number: float) -> None:
    """No exponent, no infinity."""
    with pytest.raises(FlowBuildError, match="ten decimals"):
        written(price + number)


# -- where a reference stands


def test_a_reference_is_local_on_its_own_screen_and_global_elsewhere() -> None:
    """Decided when the Flow is written, by where it stands."""
    end = Screen("END", title="E", terminal=True, children=[TextBody(text=text(name, price)), TextBody(text=city)])
    children = flow_with(TextBody(text=name), more=(end,))["screens"][1]["layout"]["children"]
    assert [child["text"] for child in children] == [
        "`${screen.START.form.name} ${screen.START.data.price}`",
        "${screen.START.data.city}",
    ]


def test_a_reference_without_a_place_is_an_error() -> None:
    """Named, with the screen and the component that refer to it."""
    other = TextInput(name="other", label="O")
    with pytest.raises(FlowBuildError, match=r"screen START, TextBody\(\): TextInput\(name=.other.\) is on no screen"):
        flow_with(TextBody(text=other)).to_dict()
    with pytest.raises(FlowBuildError, match="put it into the data of one"):
        flow_with(TextBody(text=Data("x", "y"))).to_dict()


def test_a_reference_with_two_places_is_an_error_elsewhere() -> None:
    """On each of its screens it is the one that stands there."""
    shared = Data("shared", "x")
    screens = [Screen(each, title="T", data=[shared], children=[TextBody(text=shared)]) for each in "AB"]
    assert Flow(version="7.3", screens=screens)["screens"][1]["layout"]["children"][0]["text"] == "${data.shared}"
    with pytest.raises(FlowBuildError, match="on several screens, A, B"):
        Flow(version="7.3", screens=[*screens, Screen("C", title="T", children=[TextBody(text=shared)])]).to_dict()


def test_own_value_is_that_of_the_input_it_stands_in() -> None:
    """And of nothing else."""
    day = Dropdown(name="day", label="D", data_source=[], on_select_action=Raw({"name": "x", "payload": own_value}))
    assert "Raw" in repr(day.properties["on-select-action"])
    with pytest.raises(FlowBuildError, match="arguments of an input alone"):
        flow_with(TextBody(text=own_value)).to_dict()


def test_versions_limit_what_can_be_written() -> None:
    """Expressions come with 6.0, references to other screens with 4.0."""
    with pytest.raises(FlowBuildError, match=r"come with Flow JSON 6\.0, and this Flow has 5\.1"):
        flow_with(TextBody(text=text("a", name)), version="5.1").to_dict()
    end = Screen("END", title="E", children=[TextBody(text=city)])
    with pytest.raises(FlowBuildError, match=r"before Flow JSON 4\.0"):
        flow_with(version="3.1", more=(end,)).to_dict()


def test_a_reference_as_a_text_is_refused() -> None:
    """A text of a customer's that looks like one must not become one."""
    for each in ("${data.city}", "`1 + 1`", "${screen.START.form.name}"):
        with pytest.raises(FlowBuildError, match="pass the Data or the input itself"):
            written(each)
        assert written(Raw(each)) == each
    assert written("Price: ${data.city}") == "Price: ${data.city}"  # shown as written


def test_written_as_keeps_another_layout_that_says_the_same() -> None:
    """And nothing else."""
    assert written((name == "a").written_as("`${form.name}=='a'`")) == "`${form.name}=='a'`"
    assert condition((name == "a").written_as("${form.name} == 'a'")) == "${form.name} == 'a'"
    for wrong in ("`${form.name} == 'b'`", "`${form.name}`", "nonsense ((", "`(`"):
        with pytest.raises(FlowBuildError, match="says something else"):
            written((name == "a").written_as(wrong))


def test_references_are_hashable_by_identity() -> None:
    """They may be keys, and members of sets, although == makes an expression."""
    assert {name: 1, age: 2}[age] == 2
    assert len({name, age, name}) == 2
    assert len({price > 1, price > 1}) == 2


def test_an_if_leaves_its_condition_as_it_is() -> None:
    """It may be used twice."""
    adult = age.number > 17
    assert condition(adult) == condition(adult) == "(${form.age} > 17)"
    assert written(adult) == "`(${form.age} > 17)`"


def test_objects_copy_and_pickle() -> None:
    """A Flow may be handed to another process."""
    flow = flow_with(TextBody(text=text("a", name)))
    assert pickle.loads(pickle.dumps(flow)).to_dict() == copy.deepcopy(flow).to_dict() == flow.to_dict()


# -- what the texts mean

VALUES: Final = {"form.name": "Ada", "form.age": "42", "data.price": 7, "data.count": 3, "data.paid": True}
_numbers = st.sampled_from([(price, 7), (count, 3), (5, 5), (2, 2), (age.number, 42)])
_sums = st.recursive(
    _numbers,
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(
        lambda drawn: (_apply(drawn[1], drawn[0][0], drawn[2][0]), _apply(drawn[1], drawn[0][1], drawn[2][1]))
    ),
    max_leaves=6,
)


def _apply(operator: str, left: Any, right: Any) -> Any:
    return {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        ">": lambda: left > right,
        "<=": lambda: left <= right,
        "==": lambda: left == right,
        "!=": lambda: left != right,
        "&": lambda: left & right,
        "|": lambda: left | right,
    }[operator]()


_references = st.sampled_from([(price, 7), (count, 3)])


def _test(left: st.SearchStrategy[Any], operators: str, right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(left, st.sampled_from(operators.split()), right).map(
        lambda drawn: (_apply(drawn[1], drawn[0][0], drawn[2][0]), _apply(drawn[1], drawn[0][1], drawn[2][1]))
    )


def _logic(tests: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        tests,
        lambda inner: st.one_of(
            _test(inner, "& |", inner),
            inner.map(lambda drawn: (~drawn[0], not drawn[1])),
        ),
        max_leaves=5,
    )


def look_up(reference: Reference) -> Any:
    """The value of a reference."""
    return VALUES[".".join((reference.source, *reference.path))]


@given(_logic(_test(_test(_references, "+ - *", _sums), "> <= == !=", _sums)))
def test_an_expression_gives_what_python_gives(drawn: tuple[Expr[bool], bool]) -> None:
    """Nothing is lost, whatever is joined with whatever."""
    made, expected = drawn
    assert evaluate_expression(written(made), look_up) is expected


@given(_logic(_test(_references, "> <= == !=", st.sampled_from([(price, 7), (count, 3), (4, 4)]))))
def test_a_condition_gives_what_python_gives(drawn: tuple[Expr[bool], bool]) -> None:
    """In the evaluator whose faults a client's has (observed)."""
    made, expected = drawn
    assert evaluate_condition(condition(made), look_up) is expected


def test_json_is_one_line_or_indented() -> None:
    """As the host wants it."""
    flow = flow_with()
    assert json.loads(flow.to_json()) == json.loads(flow.to_json(indent=2)) == flow.to_dict() == dict(flow)
    assert "\n" not in flow.to_json()
    assert flow.to_json(indent=2).startswith('{\n  "version": "7.3"')


def test_navigation_takes_a_screen_or_its_id() -> None:
    """A forward reference needs the id."""
    end = Screen("END", title="E", terminal=True, children=[])
    for target in (end, "END"):
        start = Screen("START", title="T", children=[Footer(label="Go", on_click_action=Navigate(target, {}))])
        action = Flow(version="7.3", screens=[start, end])["screens"][0]["layout"]["children"][0]["on-click-action"]
        assert action == {"name": "navigate", "next": {"type": "screen", "name": "END"}, "payload": {}}
