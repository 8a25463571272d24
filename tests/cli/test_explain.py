"""`explain`: what an error code means, as text and as JSON."""

from __future__ import annotations

import pytest

from tests.cli.support import CommandLine
from whatsapp_flows.emulator import Emulator


def test_a_code_is_explained() -> None:
    """Its meaning, whether it is retried, whether Meta may have executed the request, what to do, and the sources."""
    outcome = CommandLine()("explain", "139001/4016012")
    assert outcome.code == 0
    assert outcome.out == (
        "139001/4016012  the Flow JSON was saved, but processing it failed\n"
        "  error   FlowProcessingError, retryable\n"
        "  effect  Meta has saved the Flow JSON\n"
        "  advice  Send exactly the same upload again; if it goes on, ask Meta's support.\n"
        '  source  Meta, "Flows API error codes"\n'
        "          answers of the API that users have published\n"
        "    https://developers.facebook.com/docs/whatsapp/flows/reference/error-codes\n"
    )


def test_a_code_alone_is_explained_with_all_its_rows() -> None:
    """Also the rows that the text of Meta's message selects."""
    outcome = CommandLine()("explain", "139002")
    assert outcome.out.count("source ") == 17
    assert '  text    Meta\'s message contains "endpoint not available"\n' in outcome.out


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1", "Meta may have executed the request"),
        ("190/463", "AuthenticationError, fatal"),
        ("250", "200 to 299  permission missing"),
        ("139001/9", "Subcode 9 is not in the table of known codes. Code 139001 is handled as follows.\n\n139001  the"),
    ],
)
def test_other_codes_are_explained(code: str, message: str) -> None:
    """A code in a range, and an unknown subcode, have a row too."""
    outcome = CommandLine()("explain", code)
    assert outcome.code == 0
    assert message in outcome.out


@pytest.mark.parametrize("code", ["987654", "987654/1", "99999999999"])
def test_an_unknown_code_is_reported(code: str) -> None:
    """The output says how it is handled, and the exit code is 1."""
    outcome = CommandLine()("explain", code)
    assert outcome.code == 1
    assert outcome.out.startswith(f"Error {code} is not in the table of known codes.\nThe client raises ")


def test_an_explanation_may_ask_for_the_health_of_a_flow(cli: CommandLine, meta: Emulator) -> None:
    """It shows the cause of an integrity block; without --flow, the output says how to see it."""
    flow = meta.add_flow("Booking", flow_json='{"version": "7.3", "screens": []}')
    reported = CommandLine()("explain", "139000/4233020").out
    assert "whatsapp-flows explain 139000/4233020 --flow ID" in reported
    assert "payment method" in reported
    outcome = cli("explain", "139000/4233020", "--flow", flow.id)
    assert outcome.code == 0
    assert f"health of the flow: BLOCKED\n  FLOW {flow.id}: BLOCKED\n    131000 " in outcome.out
    found = cli("explain", "139000/4233020", "--flow", flow.id, "--phone-number", meta.phone_number_id, "--json").json
    assert {"FLOW", "PHONE_NUMBER"} <= {entity["type"] for entity in found["health"]["entities"]}
    assert cli("explain", "1", "--phone-number", "1").code == 2
    assert CommandLine()("explain", "139000", "--flow", "1").code == 2


def test_an_explanation_is_json_for_machines() -> None:
    """All rows, with the error class and its properties."""
    found = CommandLine()("explain", "139001/4016012", "--json").json
    (row,) = found["rows"]
    assert (found["code"], found["subcode"], found["fallback"]) == (139001, 4016012, False)
    assert (row["error"], row["retryable"], row["may_have_acted"]) == ("FlowProcessingError", True, False)
    assert CommandLine()("explain", "987654", "--json").json["rows"] == []
