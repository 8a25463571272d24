"""The language between backticks, and the smaller language of conditions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.effort import some
from whatsapp_flows.flow_json.language import (
    Binary,
    Concatenation,
    ExpressionError,
    Group,
    Literal,
    Name,
    Node,
    Reference,
    Unary,
    check_condition,
    embedded_reference,
    has_type,
    is_dynamic,
    is_expression,
    parse_condition,
    parse_expression,
    parse_reference,
    type_of_expression,
    type_of_value,
)
from whatsapp_flows.flow_json.language._tree import MAX_DEPTH, OPERATORS, PREFIX_OPERATORS

FIELDS = {"s": "string", "n": "number", "i": "integer", "b": "boolean", "o": "object", "l": "array", "u": ""}


def resolve(reference: Reference) -> str:
    """Types by the first letter of a name; a name that does not exist is an error."""
    if reference.path[0] not in FIELDS:
        raise ExpressionError(f"there is no {reference.path[0]}", 0)
    return FIELDS[reference.path[0]]


def show(node: Node) -> str:
    """A tree as text that reads back as the same tree."""
    if isinstance(node, Literal):
        return node.text
    if isinstance(node, Name):
        return node.reference.text
    if isinstance(node, Unary):
        return f"{node.operator}{show(node.operand)}"
    if isinstance(node, Group):
        return f"({show(node.inner)})"
    if isinstance(node, Concatenation):
        return " ".join(map(show, node.parts))
    return f"{show(node.left)} {node.operator} {show(node.right)}"


def nested(node: Node) -> str:
    """A tree with all its groups shown by brackets."""
    if isinstance(node, Binary):
        return f"[{nested(node.left)}{node.operator}{nested(node.right)}]"
    if isinstance(node, Unary):
        return f"[{node.operator}{nested(node.operand)}]"
    if isinstance(node, Group):
        return f"({nested(node.inner)})"
    if isinstance(node, Concatenation):
        return "[" + " ".join(map(nested, node.parts)) + "]"
    return show(node)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", "[1+[2*3]]"),
        ("1 * 2 + 3", "[[1*2]+3]"),
        ("1 - 2 - 3", "[[1-2]-3]"),
        ("8 / 4 % 3", "[[8/4]%3]"),
        ("(1 + 2) * 3", "[([1+2])*3]"),
        ("1 < 2 == true", "[[1<2]==true]"),
        ("true || false && true", "[true||[false&&true]]"),
        ("true == false && true", "[[true==false]&&true]"),
        ("!true && false", "[[!true]&&false]"),
        ("-1 - -2", "[[-1]-[-2]]"),
        ("!!true", "[![!true]]"),
        ("'a' 'b' 1", "['a' 'b' 1]"),
        ("'a' 1 + 2 'b'", "['a' [1+2] 'b']"),
        ("'it\\'s' ' \\` '", "['it\\'s' ' \\` ']"),
        ("1.5 >= 0.25", "[1.5>=0.25]"),
    ],
)
def test_precedence(text: str, expected: str) -> None:
    """What binds tighter is the same as in most languages; operands side by side bind loosest."""
    assert nested(parse_expression(f"`{text}`")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'a'", "string"), ("1", "number"), ("true", "boolean"), ("${data.s}", "string"), ("${form.i}", "integer"),
        ("${screen.A.form.o}", "object"), ("1 + ${data.i}", "number"), ("-${data.n}", "number"), ("+1", "number"),
        ("1 < ${data.i}", "boolean"), ("'a' == ${data.s}", "boolean"), ("${data.i} == ${data.i}", "boolean"),
        ("!(1 > 2)", "boolean"), ("true && ${data.b}", "boolean"), ("'a' ${data.n}", "string"), ("5 % 2", ""),
        ("'a' % true", ""), ("(5 % 2) + 1", "number"), ("(5 % 2) == 'a'", "boolean"), ("${data.u} && true", "boolean"),
        ("-${data.u}", "number"), ("${data.s} ' ' ${data.s} == 'a'", ""), ("'a' (1 + 2)", "string"),
        (" 'Hello ' ${form.s}", "string"), ("(${form.n} == 42)", "boolean"), (" + ".join(["1"] * 5000), "number"),
    ],
)  # fmt: skip
def test_types(text: str, expected: str) -> None:
    """Each operator takes some types and gives one; the result of % has no type."""
    assert type_of_expression(parse_expression(f"`{text}`"), resolve) == expected


@pytest.mark.parametrize(
    ("text", "reason", "offset"),
    [
        ("1 +", "an operand is missing at the end", 4),
        (" ", "an operand is missing at the end", 2),
        ("* 2", "an operand is missing before '*'", 1),
        ("(1", "a closing parenthesis is missing", 1),
        ("1)", "a closing parenthesis without an opening one", 2),
        ("()", "an operand is missing before ')'", 2),
        ("'a", "a closing quote is missing", 1),
        ("'a' ` 'b'", "a backtick inside needs a backslash before it", 5),
        ("1 ? 2 : 3", "there is no conditional operator", 3),
        ("[1]", "there are no array literals", 1),
        ("1 = 2", "equality is written ==", 3),
        ("true & true", "and is written &&", 6),
        ("true | true", "or is written ||", 6),
        ("$data.s", "a reference is written ${data.name}, ${form.name} or ${screen.ID.form.name}", 1),
        ('"a"', "text is written in single quotes", 1),
        ("1 § 2", "unexpected character '§'", 3),
        ("null", "'null' is neither a reference nor a literal; text is written in single quotes", 1),
        ("1 == 'a'", "== compares number with string", 3),
        ("${data.i} == 1", "== compares integer with number", 11),
        ("1 + 'a'", "+ takes integer or number, not string", 3),
        ("'a' < 'b'", "< takes integer or number, not string", 5),
        ("1 && true", "&& takes boolean, not number", 3),
        ("!1", "! takes boolean, not number", 1),
        ("-${data.i}", "- takes number, not integer", 1),
        ("1 + ${data.x}", "there is no x", 5),
        ("'a' (1 + true)", "+ takes integer or number, not boolean", 8),
        ("(" * 99 + "1" + ")" * 99, "nested too deeply", MAX_DEPTH + 1),
        ("!" * 99 + "true", "nested too deeply", MAX_DEPTH + 1),
    ],
)
def test_mistakes(text: str, reason: str, offset: int) -> None:
    """An error has a reason and an offset, counted from the opening backtick."""
    with pytest.raises(ExpressionError) as caught:
        type_of_expression(parse_expression(f"`{text}`"), resolve)
    assert (caught.value.reason, caught.value.offset) == (reason, offset)


LITERALS = st.sampled_from(["1", "0.5", "true", "false", "'a'", "'it\\'s (1 + 2)'"])
LEAVES = st.one_of(
    LITERALS.map(lambda text: Literal(text, {"t": "boolean", "f": "boolean", "'": "string"}.get(text[0], "number"))),
    st.sampled_from(["${data.s}", "${form.n}", "${screen.A.data.o.p}"]).map(
        lambda text: Name(parse_reference(text) or Reference(text, None, "data", ()))
    ),
)


def in_group(node: Node) -> Node:
    return node if isinstance(node, (Literal, Name, Group)) else Group(node)


TREES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda sign, node: Unary(sign, in_group(node)), st.sampled_from(sorted(PREFIX_OPERATORS)), inner),
        st.builds(
            lambda sign, left, right: Binary(sign, in_group(left), in_group(right)),
            st.sampled_from(sorted(OPERATORS)), inner, inner,
        ),
        st.lists(inner.map(in_group), min_size=2, max_size=3).map(lambda parts: Concatenation(tuple(parts))),
    ),
    max_leaves=6,
)  # fmt: skip


@given(TREES)
def test_a_printed_tree_parses_to_the_same_tree(tree: Node) -> None:
    """Printing a tree and parsing the text gives the same tree, for every operator."""
    assert parse_expression(f"`{show(tree)}`") == tree


@given(st.lists(st.sampled_from(sorted(OPERATORS)), min_size=1, max_size=6))
def test_chains_follow_the_table(operators: list[str]) -> None:
    """In a chain without parentheses an operand belongs to the tighter neighbour, or to the left one."""

    def tighter(node: Node) -> None:
        if isinstance(node, Binary):
            binds = OPERATORS[node.operator].binds
            if isinstance(node.left, Binary):
                assert OPERATORS[node.left.operator].binds >= binds
            if isinstance(node.right, Binary):
                assert OPERATORS[node.right.operator].binds > binds
            tighter(node.left)
            tighter(node.right)

    tree = parse_expression("`1" + "".join(f" {operator} 1" for operator in operators) + "`")
    tighter(tree)
    assert show(tree) == "1" + "".join(f" {operator} 1" for operator in operators)


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *OPERATORS,
                *PREFIX_OPERATORS,
                "(",
                ")",
                "'",
                "'a'",
                "1",
                "01",
                "-",
                "true",
                "${data.s}",
                "${form.b}",
                " ",
                "`",
            ]
        ),
        st.text(max_size=3),
    ),
    max_size=12,
).map("".join)


@settings(max_examples=some(300), deadline=None)
@given(PIECES)
@example("(" * 5000)
@example("!" * 5000)
@example("1" + "+1" * 5000)
@example("1 || 2 && 3 == 4 < 5 + 6 * (" * 200)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """The parsers of both languages raise nothing but ExpressionError."""
    readers: tuple[Callable[[], object], ...] = (
        lambda: type_of_expression(parse_expression(f"`{text}`"), resolve),
        lambda: check_condition(parse_condition(text), resolve),
    )
    for read in readers:
        with suppress(ExpressionError):
            read()


@pytest.mark.parametrize(
    "text",
    [
        "${data.b}", "!${data.b}", "${data.s} == 'x'", "'x' != ${data.s}", "${data.n} > -5", "0 <= ${form.n}",
        "(${data.b} && (${form.s} == 'cat'))", "${data.b} || ${data.b} && ${data.b}", "${data.b} == true",
        "(${screen.A.form.s} != '')", "${data.u} == 5", "${data.u}", "${data.b} && true", "!(${data.n} < 3)",
        "${data.n} == ${form.n}",
    ],
)  # fmt: skip
def test_valid_conditions(text: str) -> None:
    """A condition compares a reference with a literal or a reference of the same type."""
    check_condition(parse_condition(text), resolve)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${data.b}", "${data.b}"),
        ("!(${data.b})", "[!(${data.b})]"),
        ("${data.n} > -5", "[${data.n}>-5]"),
        ("${data.s} == 'x'", "[${data.s}=='x']"),
        ("${data.b} || ${data.b} && true", "[${data.b}||[${data.b}&&true]]"),
        ("${data.n} < 1 && ${data.b} && false", "[[[${data.n}<1]&&${data.b}]&&false]"),
        ("(${data.b} || true) && ${data.b}", "[([${data.b}||true])&&${data.b}]"),
        ("1.5 == '\\'", "[1.5=='\\']"),
    ],
)
def test_the_tree_of_a_condition(text: str, expected: str) -> None:
    """A condition has the nodes of an expression; a backslash escapes nothing, and types are not checked."""
    assert nested(parse_condition(text)) == expected
    assert parse_condition(text) is parse_condition(text)


@pytest.mark.parametrize(
    ("text", "reason", "offset"),
    [
        ("", "the condition is empty", -1),
        ("  ", "the condition is empty", -1),
        ("true", "a single operand must not be a literal", 0),
        ("!true", "a single operand must not be a literal", 1),
        ("${data.s}", "a boolean is needed here, not string", 0),
        ("!${data.n}", "a boolean is needed here, not number", 1),
        ("${data.b} && ${data.s}", "a boolean is needed here, not string", 13),
        ("1 == 1", "== has literals on both sides", 2),
        ("true && false", "&& has literals on both sides", 5),
        ("${data.s} == 1", "== compares string with number", 10),
        ("${data.s} < 1", "< compares numbers, not string", 0),
        ("${data.n} < 'a'", "< compares numbers, not string", 12),
        ("${data.n} == 1 == true", "comparisons cannot be chained", 15),
        ("${data.i} == 1", "an operand of type integer is not supported", 0),
        ("${data.l} == 1", "an operand of type array is not supported", 0),
        ("${data.b.c}", "only fields at the top of the data model can be compared", 0),
        ("${data.x}", "there is no x", 0),
        ("${data.n} == 01", "a number with a leading zero", 13),
        ("${data.n} == 1.5", "only whole numbers", 13),
        ("${data.n} == -", "a number is missing after the minus sign", 13),
        ("()", "nothing stands between the parentheses", 0),
        ("(${data.b}", "a closing parenthesis is missing", 0),
        ("${data.b})", "a closing parenthesis without an opening one", 9),
        ("${data.s} == 'a", "a closing quote is missing", 13),
        ("${data.b} ${data.b}", "an operator is missing between two operands", 10),
        ("(${data.b} ${data.b})", "an operator is missing between two operands", 11),
        ("${data.b} &&", "an operand is missing at the end", 12),
        ("&& ${data.b}", "'&&' stands where an operand is needed", 0),
        ("maybe", "'maybe' is not an operand", 0),
        ("${data.n} + 1 == 2", "unexpected character '+'", 10),
        ("(" * 99 + "${data.b}" + ")" * 99, "nested too deeply", MAX_DEPTH),
    ],
)
def test_invalid_conditions(text: str, reason: str, offset: int) -> None:
    """An error has a reason and an offset, counted from the start of the condition."""
    with pytest.raises(ExpressionError) as caught:
        check_condition(parse_condition(text), resolve)
    assert (caught.value.reason, caught.value.offset) == (reason, offset)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${data.a}", (None, "data", ("a",))),
        ("${data.a.b-c}", (None, "data", ("a", "b-c"))),
        ("${form.a}", (None, "form", ("a",))),
        ("${screen.ONE.form.a}", ("ONE", "form", ("a",))),
        ("${screen..data.a}", ("", "data", ("a",))),
        ("${data.}", None),
        ("${data.a} and more", None),
        ("before ${data.a}", None),
        ("${other.a}", None),
        ("text", None),
    ],
)
def test_references(text: str, expected: tuple[Any, ...] | None) -> None:
    """A reference is a whole string; it is taken apart into screen, source and path."""
    found = parse_reference(text)
    assert (found and (found.screen, found.source, found.path)) == expected


@pytest.mark.parametrize(
    ("text", "dynamic", "expression", "embedded"),
    [
        ("`1`", True, True, None), ("``", False, False, None), ("`", False, False, None), ("`a` b", False, False, None),
        ("${data.a}", True, False, "${data.a}"), ("${data.a} b", True, False, "${data.a}"), ("$5", False, False, None),
        ("b ${screen.A.form.x}", False, False, "${screen.A.form.x}"), ("${x}", False, False, None),
    ],
)  # fmt: skip
def test_what_is_dynamic(text: str, dynamic: bool, expression: bool, embedded: str | None) -> None:
    """A dynamic string begins with a reference or is an expression in backticks."""
    assert (is_dynamic(text), is_expression(text), embedded_reference(text)) == (dynamic, expression, embedded)


@pytest.mark.parametrize(
    ("value", "name"),
    [("", "string"), (True, "boolean"), (1, "integer"), (1.0, "integer"), (1.5, "number"), ({}, "object"),
     ([], "array"),
     (None, "null")],
)  # fmt: skip
def test_types_of_values(value: Any, name: str) -> None:
    """Values have the types that data models name; an integer is a number as well."""
    assert type_of_value(value) == name
    assert has_type(value, name)
    assert has_type(value, "number") == (name in ("integer", "number"))
