"""The pattern of a TextInput is searched as JavaScript searches it, in bounded time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from whatsapp_flows.play import _patterns
from whatsapp_flows.play._pattern_syntax import MAX_LENGTH
from whatsapp_flows.play._patterns import read_pattern


@pytest.mark.parametrize(
    ("pattern", "found", "not_found"),
    [
        (r"[0-9]+", ["1", "a1b"], ["", "a"]),
        (r"^[0-9]+$", ["1", "123"], ["", "a1", "1\n"]),
        (r"^[0-9]{5}(?:-[0-9]{4})?$", ["12345", "12345-6789"], ["1234", "123456", "12345-"]),
        (r"^[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}$", ["a.b@c.de"], ["a@b", "@c.de"]),
        (
            r"^(?=.*[A-Z])(?=.*\d)(?!.*\s).{8,}$",
            ["Passw0rd", "aB3aB3aB3"],
            ["password1", "PASSWORD", "Pass w0rd", "P4"],
        ),
        (r"^(0[1-9]|1[0-2])\/\d{2}$", ["01/30", "12/99"], ["13/30", "1/30"]),
        (r"^\+?[1-9]\d{1,14}$", ["+14155550100"], ["+0", "+1 415"]),
        (r"^(?<year>\d{4})-(?<month>\d\d)$", ["2026-01"], ["2026-1"]),
        (r"\bcat\b", ["a cat", "cat!"], ["cats", "concat"]),
        (r"\Bcat", ["concat"], ["cat", "a cat"]),
        (r"^.$", ["a", "é", " "], ["", "ab", "\n", "\u2028", "😀"]),
        (r"^..$", ["ab", "😀"], ["a"]),
        (r"^[^]$", ["\n"], ["", "ab"]),
        (r"[]", [], ["", "a"]),
        (r"^[\w-]+$", ["a-b_c"], ["a b", "é"]),
        (r"^\s+$", [" \t\u00a0\ufeff"], ["", "a", "\u200b"]),
        (r"^[a\-z]+$", ["a-z"], ["b"]),
        (r"^[\d-x]+$", ["1-x"], ["a"]),
        (r"^\x41\u0042\t\0$", ["AB\t\0"], ["AB"]),
        (r"^\x4$", ["x4"], ["\x04"]),
        (r"^a{,2}$", ["a{,2}"], ["a", "aa"]),
        (r"^a{2}?$", ["aa"], ["a", ""]),
        (r"^(a|ab)(c|bcd)$", ["ac", "abc", "abcd", "abbcd"], ["abd"]),
        (r"^(?:a*)*$", ["", "aaa"], ["b"]),
        (r"^(?:^)?(?:){999999}a$", ["a"], ["b"]),
        ("", ["", "a"], []),
    ],
)
def test_what_a_pattern_finds(pattern: str, found: list[str], not_found: list[str]) -> None:
    """It is searched anywhere in the value, unless it has anchors."""
    read = read_pattern(pattern)
    assert read.problem == ""
    assert [text for text in found if read.found_in(text) is not True] == []
    assert [text for text in not_found if read.found_in(text) is not False] == []


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "a group has no end"),
        ("a)", "a closing parenthesis without an opening one"),
        ("[a", "a class of characters has no end"),
        ("*a", "there is nothing to repeat"),
        ("a**", "there is nothing to repeat"),
        ("^*", "there is nothing to repeat"),
        ("{1}", "there is nothing to repeat"),
        ("a{2,1}", "the numbers of a repetition are out of order"),
        ("[z-a]", "a range of characters is out of order"),
        ("a\\", "a backslash at the end"),
        ("[\\", "a backslash at the end"),
        ("(?x)", "a group of an unknown kind"),
        ("(?<1>a)", "the name of a group is not valid"),
    ],
)
def test_a_broken_pattern_is_passed_by_every_value(pattern: str, reason: str) -> None:
    """JavaScript refuses these; a client then lets every value pass (observed)."""
    read = read_pattern(pattern)
    assert (read.problem, read.reason) == ("broken", reason)
    assert read.found_in("anything") is True


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"(a)\1", "it refers to a group"),
        (r"\01", "it refers to a group"),
        (r"(?<a>b)\k<a>", "it refers to a group"),
        (r"(?<=a)b", "it has a lookbehind"),
        (r"(?<!a)b", "it has a lookbehind"),
        (r"(?i:a)", "it has flags"),
        (r"\p{L}", "it uses properties of Unicode"),
        (r"\u{1F600}", r"it names a character by \u{...}"),
        (r"\cA", "it names a control character"),
        (r"(?<a>b)|(?<a>c)", "two of its groups have the same name"),
        ("a{10000000}", "it repeats a part very often"),
        ("(?:a{100}){100}", "it is too large with its repetitions"),
        ("(?=a{100}){100}", "it is too large with its repetitions"),
        ("(" * 60 + ")" * 60, "it has too many groups inside each other"),
        ("a" * (MAX_LENGTH + 1), "it is too long"),
    ],
)
def test_the_rest_of_the_language_is_not_checked(pattern: str, reason: str) -> None:
    """It is neither found nor not found."""
    read = read_pattern(pattern)
    assert (read.problem, read.reason, read.found_in("a")) == ("unchecked", reason, None)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a*)*b", "(?:a|a)*b", "(.*)(.*)(.*)(.*)x", "^(?:(?!b).)*c"])
def test_no_pattern_takes_long(pattern: str) -> None:
    """Where JavaScript tries again and again, the steps stay in proportion to the length of the value."""
    read = read_pattern(pattern)
    assert read.program is not None
    budget = _patterns.Budget(50_000, "too many steps")
    assert read.program.found_in("a" * 1000 + "!", 0, budget, anywhere=True) is False


def test_a_search_ends_at_the_limit_of_steps() -> None:
    """A value that is too long for a search is not checked."""
    assert read_pattern("^(?:(?=.*b).)*$").found_in("a" * 60_000 + "b") is None
    assert read_pattern("b").found_in("a" * 60_000) is None


def test_what_is_remembered_is_bounded() -> None:
    """Many different values make a pattern forget, and it still finds what it should."""
    read = read_pattern("^(?:[a-z]{1,40}|[^0]{1,40})$")
    program = read.program
    assert program is not None
    sizes = []
    for i in range(400):
        assert read.found_in(chr(0x4E00 + i) * (i % 40 + 1))
        sizes.append(program.remembered)
    assert max(sizes) > sizes[-1]  # it has forgotten
    assert read.found_in("0") is False


ATOMS = [*"ab1_ -.{]}", "é", "😀", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", r"\.", r"\b", r"\B", "^", "$", "[a-c]",
         "[^a]", "[]", "[^]", r"[\w-]", r"[a\-z]", "[-a]", "[a-]", r"\x61", r"\x6", r"\u0061", r"[\b]", "[😀]",
         "(?:a|b)", "(a)", "(?=a)", "(?!a)", "(?=.*1)", "a|", "(", ")", "[", "\\"]  # fmt: skip
SIGNS = ["", "*", "+", "?", "{2}", "{1,2}", "{2,1}", "{,1}", "*?", "**"]
TEXTS = ["", "a", "ab", "aab", "b1", "1", "a_b", " ", "a b", "é", "😀", "x😀a", "aaa", "{", "a-", "\n", "a\n", "\u2028",
         "A", "\b", "x6"]  # fmt: skip
NODE = """
const {patterns, texts} = JSON.parse(require('fs').readFileSync(0));
const found = pattern => {
  try { const read = new RegExp(pattern); return texts.map(text => read.test(text)); } catch (error) { return null; }
};
console.log(JSON.stringify(patterns.map(found)));
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.xdist_group("node")
def test_node_finds_the_same() -> None:
    """Each atom with each repetition, before another atom: found and refused as by Node's regular expressions."""
    patterns = [f"{first}{sign}{second}" for first, sign, second in product(ATOMS, SIGNS, ATOMS[::7])]
    done = subprocess.run(
        ["node", "-e", NODE],
        input=json.dumps({"patterns": patterns, "texts": TEXTS}).encode(),
        capture_output=True, check=True, timeout=60, env=dict(os.environ),
    )  # fmt: skip
    for pattern, expected in zip(patterns, json.loads(done.stdout), strict=True):
        read = read_pattern(pattern)
        found = None if read.problem == "broken" else [read.found_in(text) for text in TEXTS]
        assert found == expected, (pattern, read.reason)


@settings(max_examples=some(60))
@given(
    st.text(st.sampled_from([*r"ab1\[]()^$.*+?{},|-=!:<>dDwWbBuxk", "😀", "\ud800"]), max_size=24), st.text(max_size=20)
)
def test_no_text_makes_it_raise(pattern: str, value: str) -> None:
    """Any text is a pattern, a broken one or one that is not checked; the answer is the same each time."""
    read = read_pattern(pattern)
    first = read.found_in(value)
    assert read.found_in(value) is first
    assert (first is None) == (read.problem == "unchecked")
    assert first is True or read.problem != "broken"
