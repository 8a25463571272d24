"""The readers of parameters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.emulator.support import NOON, SETTINGS, call
from whatsapp_flows.emulator.graph._call import (
    GraphCall,
    flag,
    json_response,
    positive_number,
    required_text,
    text,
    text_list,
    timestamp,
)
from whatsapp_flows.emulator.graph._errors import GraphError


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (text, "x", "x"),
        (text, None, None),
        (required_text, "x", "x"),
        (flag, "true", True),
        (flag, True, True),
        (flag, "1", True),
        (flag, "False", False),
        (text_list, '["a", "b"]', ("a", "b")),
        (text_list, ["a"], ("a",)),
        (text_list, "[]", ()),
        (text_list, None, None),
    ],
)
def test_a_parameter_is_read(read: Callable[[GraphCall, str], object], value: object, expected: object) -> None:
    """From a form, where everything is a text, as from a JSON body."""
    assert read(call("POST", "/", parameters={"p": value}), "p") == expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (text, 3),
        (text, {"a": 1}),
        (required_text, ""),
        (required_text, None),
        (flag, "perhaps"),
        (text_list, "a,b"),
        (text_list, '{"a": 1}'),
        (text_list, [1]),
    ],
)
def test_a_parameter_of_the_wrong_kind_is_refused(read: Callable[[GraphCall, str], object], value: object) -> None:
    """The error has code 100 and the name of the parameter."""
    with pytest.raises(GraphError) as error:
        read(call("POST", "/", parameters={"p": value}), "p")
    assert error.value.spec.code == 100
    assert "Param p " in error.value.spec.message


def test_names_may_be_joined_by_commas() -> None:
    """A widespread client sends them in that form."""
    assert text_list(call("POST", "/", parameters={"p": "a,b c"}), "p", commas=True) == ("a", "b c")


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", ""])
def test_a_limit_is_a_whole_number_above_zero(value: str) -> None:
    """Any other value is an error."""
    with pytest.raises(GraphError):
        positive_number(call("GET", "/", query={"limit": value}), "limit", 25)


def test_a_limit_has_a_default() -> None:
    """Given or not, it is a number."""
    assert positive_number(call("GET", "/"), "limit", 25) == 25
    assert positive_number(call("GET", "/", query={"limit": "7"}), "limit", 25) == 7


def test_times_come_in_two_forms() -> None:
    """With an offset that has no colon, or as Unix seconds."""
    assert timestamp(call("GET", "/"), NOON) == "2026-01-01T12:00:00+0000"
    assert timestamp(call("GET", "/", query={"date_format": "U"}), NOON) == int(NOON)


def test_answers_are_compact_json() -> None:
    """As on Graph."""
    assert json_response({"a": [1, 2]}).body == b'{"a":[1,2]}'


def test_secrets_do_not_show() -> None:
    """Neither a call nor the settings show a token."""
    returned = repr(call("GET", "/", token="EAAsecret", query={"access_token": "EAAsecret"}))
    assert "EAAsecret" not in returned
    assert SETTINGS.token_for("a", 1) == SETTINGS.token_for("a", 1) != SETTINGS.token_for("a", 2)
