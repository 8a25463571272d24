"""Meta's usage headers, and the figures that the client keeps."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import FLOW, UPLOADED, WABA, Scene, answer, refusal
from whatsapp_flows import FlowsClient, RateLimitedError, RequestFinished, Usage
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.usage import UsageLog, read_usage

ENTRY = {"type": "whatsapp_business_management", "call_count": 83, "total_cputime": 25, "total_time": 12}
OF_THE_ACCOUNT = Usage(
    object_id=WABA, type="whatsapp_business_management", call_count=83.0, total_cputime=25.0, total_time=12.0
)


def business(*entries: object, object_id: str = WABA) -> str:
    return json.dumps({object_id: list(entries)})


def test_the_business_header_names_objects_and_their_limits() -> None:
    """Percentages as they are; the estimate, which Meta gives in minutes, in seconds."""
    (usage,) = read_usage("", business({**ENTRY, "estimated_time_to_regain_access": 19}), 7.0)
    assert usage == Usage(
        object_id=WABA,
        type="whatsapp_business_management",
        call_count=83.0,
        total_cputime=25.0,
        total_time=12.0,
        regain_access=19 * 60.0,
        received_at=7.0,
    )
    assert usage.highest == 83.0


def test_the_apps_header_has_no_object() -> None:
    """The limit of the platform is that of the app."""
    assert read_usage('{"call_count": 28, "total_time": 25, "total_cputime": 31}', "") == (
        Usage(object_id=None, call_count=28.0, total_time=25.0, total_cputime=31.0),
    )


@pytest.mark.parametrize(
    ("app", "header", "expected"),
    [
        ("", "", []),
        ("not JSON", "[1]", []),
        ("{}", "{}", []),
        ("[" * 100_000, "[" * 100_000, []),
        ("", '{"1": {"call_count": "40"}}', [Usage(object_id="1", call_count=40.0)]),
        ("", '{"1": [{"call_count": "many", "total_time": null}, 5]}', [Usage(object_id="1")]),
        ("", '{"a\\u001b[31m": [{"type": "b\\n", "call_count": true}]}', [Usage(object_id="")]),
        ('{"call_count": -1, "total_time": 1e300}', "", [Usage(object_id=None)]),
    ],
)
def test_headers_are_read_as_hints(app: str, header: str, expected: list[Usage]) -> None:
    """An object for a list and numbers as strings are understood; an invalid value is 0, empty or left out."""
    assert list(read_usage(app, header)) == expected


@given(app=st.text(max_size=40), header=st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)), max_leaves=5))  # fmt: skip
def test_no_header_breaks_the_reader(app: str, header: object) -> None:
    """An unreadable header does not affect the answer."""
    for usage in read_usage(app, json.dumps(header)):
        assert usage.highest >= 0.0


def test_the_client_keeps_the_last_figures() -> None:
    """Per object and type; an answer without figures deletes none; error responses count too."""
    scene = Scene(
        answer({"success": True}, headers={"X-Business-Use-Case-Usage": business({"call_count": 10, **ENTRY})}),
        answer({"success": True}, headers={"x-app-usage": '{"call_count": 28}'}),
        UPLOADED,
        refusal(80008, headers={"x-business-use-case-usage": business({"type": "whatsapp"}, object_id="9")}),
        max_attempts=1,
    )
    assert not scene.client.usage
    for _ in range(3):
        scene.client.update_flow_json(FLOW, b"{}")
    assert scene.client.usage == (Usage(object_id=None, call_count=28.0), OF_THE_ACCOUNT)
    with pytest.raises(RateLimitedError):
        scene.client.get_flow(FLOW)
    assert [usage.object_id for usage in scene.client.usage] == [None, WABA, "9"]
    reported = [event.usage for event in scene.events if isinstance(event, RequestFinished)]
    assert [[usage.object_id for usage in each] for each in reported] == [[WABA], [None], [], ["9"]]


def test_clients_of_one_token_share_their_figures() -> None:
    """`with_options` makes a client that adds to the same figures; another token has limits of its own."""
    first_answer = answer({"success": True}, headers={"x-app-usage": '{"call_count": 28}'})
    client = Scene(first_answer, first_answer).client
    patient, other = client.with_options(max_attempts=9), client.with_options(access_token="another")
    patient.update_flow_json(FLOW, b"{}")
    assert client.usage == patient.usage == (Usage(object_id=None, call_count=28.0),)
    assert not other.usage
    other.update_flow_json(FLOW, b"{}")
    assert len(other.usage) == 1


def test_figures_come_over_a_real_connection() -> None:
    """With the headers that the emulator writes, in Meta's form."""
    with Emulator() as meta, FlowsClient("token", meta.waba_id, base_url=meta.url) as client:
        meta.set_usage(81, minutes=12)
        list(client.list_flows())
        app, account = client.usage
    assert (app.object_id, app.highest) == (None, 81.0)
    assert (account.object_id, account.highest, account.regain_access) == (meta.waba_id, 81.0, 720.0)
    assert account.received_at > 0


def test_what_is_kept_is_bounded() -> None:
    """A thousand limits are kept; the oldest is dropped first."""
    log = UsageLog()
    log.record_usage({"x-business-use-case-usage": business({"call_count": 1}, object_id="first")}, 0.0)
    for number in range(998):
        log.record_usage({"x-business-use-case-usage": business({"call_count": 1}, object_id=str(number))}, 0.0)
    log.record_usage({"x-business-use-case-usage": business({"call_count": 2}, object_id="first")}, 1.0)
    log.record_usage(
        {"X-App-Usage": '{"call_count": 5}', "X-Business-Use-Case-Usage": business({}, object_id="last")}, 2.0
    )
    kept = {usage.object_id for usage in log.figures}
    assert len(kept) == 1000
    assert {"first", "last", None} <= kept
    assert "0" not in kept
