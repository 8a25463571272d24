"""The error table and the bodies made from it."""

from __future__ import annotations

import pytest

from tests.openapi.contract import check_response
from whatsapp_flows.emulator.graph._errors import ErrorSpec, Problem, error_body, graph_error, spec_for


def test_the_table_is_sorted() -> None:
    """Entries are sorted by code, then by subcode."""
    keys = [(problem.value.code, problem.value.subcode or 0) for problem in Problem]
    assert keys == sorted(keys)


def test_no_row_stands_twice() -> None:
    """Equal entries would silently become one member of the enumeration."""
    assert len(Problem.__members__) == len(list(Problem))


@pytest.mark.parametrize("problem", Problem)
def test_every_body_is_a_graph_error(problem: Problem) -> None:
    """Each entry becomes a body that Meta's OpenAPI file allows."""
    body = error_body(problem.value, "Atrace")
    check_response("GET", "/v25.0/1", problem.value.status, body)


def test_the_processing_failure_reads_as_captured() -> None:
    """139001/4016012 has `is_transient: false`, and its message asks to upload again."""
    assert error_body(Problem.PROCESSING.value, "Atrace") == {
        "error": {
            "message": "Updating attempt failed",
            "type": "OAuthException",
            "code": 139001,
            "error_subcode": 4016012,
            "is_transient": False,
            "error_user_title": "Error while processing WELJ",
            "error_user_msg": (
                "Flow JSON has been saved, but processing has failed. Flow serving may not work properly. Please try "
                "uploading flow JSON again or contact support."
            ),
            "fbtrace_id": "Atrace",
        }
    }


def test_absent_keys_are_left_out() -> None:
    """An entry without titles and subcode becomes a body without them."""
    body = error_body(ErrorSpec(4, None, 400, "limit"), "Atrace")
    assert body == {"error": {"message": "limit", "type": "OAuthException", "code": 4, "fbtrace_id": "Atrace"}}


def test_blanks_are_filled_in() -> None:
    """A message names its object."""
    assert "get request. Object with ID '7'" in graph_error(Problem.UNKNOWN_NODE, method="get", id="7").spec.message


@pytest.mark.parametrize(
    ("code", "subcode", "expected"),
    [
        (139001, 4016012, Problem.PROCESSING.value),
        (2, None, Problem.UNAVAILABLE.value),
        (190, 460, ErrorSpec(190, 460, 401, Problem.TOKEN_INVALID.value.message)),
        (100, 4016099, ErrorSpec(100, 4016099, 400, "Invalid parameter", is_transient=False)),
        (2500, 7, ErrorSpec(2500, 7, 400, "Invalid parameter")),
        (294, None, ErrorSpec(294, None, 403, "(#294) Error")),
        (987654, 1, ErrorSpec(987654, 1, 400, "(#987654) Error")),
    ],
)
def test_a_test_may_ask_for_any_code(code: int, subcode: int | None, expected: ErrorSpec) -> None:
    """A pair that is not in the table gets the entry of its code, or a minimal one."""
    assert spec_for(code, subcode) == expected
