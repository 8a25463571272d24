"""Texts that match a pattern: guesses for an automatic walk."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from whatsapp_flows.play._pattern_texts import matching_texts


@pytest.mark.parametrize(
    ("pattern", "low", "high"),
    [
        (r"^[0-9]{4}$", 1, 80),
        (r"[A-Z]{3}-\d+", 1, 80),
        (r"[A-Z]{3}-\d+", 20, 80),
        (r"^(\+\d{1,3})?\s?\d{10}$", 1, 80),
        (r"^\d{3}-\d{2}-\d{4}$", 11, 11),
        (r"^(?=.*[A-Z])(?=.*\d).{8,}$", 1, 80),
        (r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[^\w])(?!.*\s).{12,}$", 1, 80),
        (r"^[a-zA-Z ]*$", 5, 80),
        (r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", 1, 80),
        (r"(a|bb){3,}c?", 9, 12),
        (r"^(a|bb|ccc)$", 3, 80),
        (r"^(0[1-9]|1[0-2])\/\d{2}$", 1, 5),
        (r"^(?:GB)?\d{9}$", 11, 80),
        (r"(\w)(\W)(\D)(\S)", 1, 80),
        (r"^1\.\d$", 1, 80),
        ("^[\u0600-\u06ff]+$", 4, 80),
        (r"^\u0041\x42[\b\d]?\n?$", 1, 80),
        (r"\d", 10, 80),
        (r"^https?:\/\/.+?$", 1, 80),
        (r"[-a]{2}[^a-z\]]", 1, 80),
        (r"a{0}b{1,}", 1, 80),
        (r"a(?!y)", 1, 80),
    ],
)
def test_a_pattern_has_a_text(pattern: str, low: int, high: int) -> None:
    """One of the texts matches, and all have the length that was asked for."""
    texts = list(matching_texts(pattern, low=low, high=high))
    assert all(low <= len(text) <= high for text in texts)
    assert len(set(texts)) == len(texts)
    assert any(re.search(pattern, text) for text in texts), texts


def test_a_name_of_a_group_is_read() -> None:
    """Named groups are written differently in JavaScript."""
    assert next(matching_texts(r"^(?<year>\d{4})-x$", low=1, high=80)) == "1111-x"


def test_a_character_may_be_two_code_units() -> None:
    """As in JavaScript without the flag u."""
    assert next(matching_texts("^\U0001f600+$", low=1, high=80)) == "\U0001f600"
    assert next(matching_texts(r"^a[\ud800-\udbff]$", low=1, high=80)) == "a"


@pytest.mark.parametrize("pattern", ["((((", "[a", "(?<!x)a", r"\p{L}", r"(\w)\1", "x" * 2001])
def test_what_is_not_read_gets_general_texts(pattern: str) -> None:
    """A pattern that is broken, or not of the common subset, is no error: a few general texts are tried."""
    assert "abc123" in list(matching_texts(pattern, low=1, high=80))


@pytest.mark.parametrize("pattern", ["^$", "a{0}", "[]"])
def test_a_pattern_that_matches_nothing_is_no_error(pattern: str) -> None:
    """Neither is one that matches the empty text alone."""
    assert "" not in list(matching_texts(pattern, low=1, high=80))


@settings(max_examples=some(150), deadline=None)
@given(st.text("ab0[](){}^$.*+?|\\-,:=!<>dwsbux19", max_size=40), st.integers(0, 90), st.integers(0, 90))
def test_any_pattern_gives_few_texts_of_the_right_length(pattern: str, low: int, high: int) -> None:
    """Whatever the pattern is: no exception, no text outside the limits, and not many of them."""
    texts = list(matching_texts(pattern, low=low, high=high))
    assert len(texts) < 40
    assert all(low <= len(text) <= high for text in texts)


@settings(max_examples=some(150), deadline=None)
@given(st.from_regex(re.compile(r"(?:[ab0]|\\d|\[ab\]|\[\^a\]|\.)(?:[*+?]|\{[0-3]\}|\{1,3\})?"), fullmatch=True))
def test_a_simple_pattern_matches_its_first_text(part: str) -> None:
    """What is read completely is right at the first guess."""
    pattern = f"^x{part}(?:y|{part})$"
    assert re.search(pattern, next(matching_texts(pattern, low=1, high=80)))


@pytest.mark.parametrize(
    "pattern", ["((((((a*)*)*)*)*)*)*b", "(a{99}){99}{99}", "(a{9999}b{9999})+", "(a|b|c|d|e)*" * 40]
)
def test_a_hostile_pattern_gives_short_texts(pattern: str) -> None:
    """Repetitions of repetitions are cut."""
    assert all(len(text) <= 3000 for text in matching_texts(pattern, low=1, high=10**9))
