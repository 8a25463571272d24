"""(code, subcode) -> error, and how bodies that differ from Meta's documentation are classified."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import DONE, TOKEN, Scene, answer, refusal
from whatsapp_flows import (
    ERROR_CODES,
    ApiError,
    AuthenticationError,
    ErrorRow,
    ExponentialBackoff,
    FlowProcessingError,
    FlowsError,
    FlowStateError,
    IntegrityError,
    InvalidRequestError,
    NameTakenError,
    NotFoundError,
    PermissionDeniedError,
    PublishBlockedError,
    RateLimitedError,
    Request,
    Response,
    ServiceUnavailableError,
    UnexpectedResponseError,
    UnknownApiError,
)
from whatsapp_flows._classify import classify, is_error, retry_after
from whatsapp_flows._wire import Secret

REQUEST = Request(method="GET", url="https://graph.facebook.com/v25.0/1", operation="get_flow", flow_id="1")


def classified(response: Response) -> FlowsError:
    return classify(response, REQUEST, ERROR_CODES)


# The rows of Meta's tables for Flow management and for these endpoints in general: code, subcode, class.
ROWS: list[tuple[int, int | None, type[ApiError]]] = [
    (0, None, AuthenticationError),
    (1, None, ServiceUnavailableError),
    (2, None, ServiceUnavailableError),
    (3, None, PermissionDeniedError),
    (4, None, RateLimitedError),
    (4, 2446079, RateLimitedError),
    (4, 2446080, RateLimitedError),
    (4, 2018001, RateLimitedError),
    (10, None, PermissionDeniedError),
    (10, 2018218, PermissionDeniedError),
    (12, None, InvalidRequestError),
    (17, 2446079, RateLimitedError),
    (32, None, RateLimitedError),
    (33, None, NotFoundError),
    (100, None, InvalidRequestError),
    (100, 33, NotFoundError),
    (100, 4016019, NameTakenError),
    (102, None, AuthenticationError),
    (102, 463, AuthenticationError),
    (102, 459, AuthenticationError),
    (102, 492, PermissionDeniedError),
    (104, None, AuthenticationError),
    (190, None, AuthenticationError),
    (190, 458, AuthenticationError),
    (190, 459, AuthenticationError),
    (190, 460, AuthenticationError),
    (190, 463, AuthenticationError),
    (190, 464, AuthenticationError),
    (190, 467, AuthenticationError),
    (190, 492, PermissionDeniedError),
    (192, None, InvalidRequestError),
    (200, None, PermissionDeniedError),
    (200, 1349174, PermissionDeniedError),
    (200, 1349175, PermissionDeniedError),
    (200, 1349176, PermissionDeniedError),
    (218, None, PermissionDeniedError),
    (299, 1349174, PermissionDeniedError),
    (341, None, RateLimitedError),
    (368, None, IntegrityError),
    (506, None, InvalidRequestError),
    (613, None, RateLimitedError),
    (613, 1996, RateLimitedError),
    (803, None, NotFoundError),
    (2500, None, InvalidRequestError),
    (2635, None, InvalidRequestError),
    *((code, None, RateLimitedError) for code in (*range(80000, 80010), 80014)),
    (80007, 2446079, RateLimitedError),
    (130429, None, RateLimitedError),
    (130429, 2494055, RateLimitedError),
    (130497, None, IntegrityError),
    (131000, None, ServiceUnavailableError),
    (131005, None, PermissionDeniedError),
    (131008, None, InvalidRequestError),
    (131009, None, InvalidRequestError),
    (131016, None, ServiceUnavailableError),
    (131031, None, IntegrityError),
    (131048, None, RateLimitedError),
    (131056, None, RateLimitedError),
    (131057, None, ServiceUnavailableError),
    (133004, None, ServiceUnavailableError),
    (133016, None, RateLimitedError),
    (135000, None, InvalidRequestError),
    (139000, None, IntegrityError),
    (139000, 4233020, IntegrityError),
    (139001, None, FlowStateError),
    (139001, 4016010, FlowStateError),
    (139001, 4016012, FlowProcessingError),
    (139002, None, PublishBlockedError),
    (139002, 4016011, PublishBlockedError),
    (139002, 4233012, PublishBlockedError),
    (139002, 4233014, PublishBlockedError),
    (139002, 4233024, PublishBlockedError),
    (139002, 4233046, PublishBlockedError),
    (139003, None, FlowStateError),
    (139004, 4016026, FlowStateError),
    (139005, None, UnknownApiError),
    (139006, None, FlowStateError),
    (4233041, None, InvalidRequestError),
    (2066, None, InvalidRequestError),
    (2068, None, FlowStateError),
    (100, 2388023, NameTakenError),
    (100, 2388024, NameTakenError),
    *((code, None, InvalidRequestError) for code in (130472, 131021, 131026, 131030, 131047, 131049, 131050, 131051)),
    *((code, None, InvalidRequestError) for code in (131052, 131053, 131062)),
    (131037, None, FlowStateError),
    (131042, None, IntegrityError),
    (131045, None, FlowStateError),
    (131063, None, PermissionDeniedError),
    (131064, None, IntegrityError),
    *((code, None, InvalidRequestError) for code in (132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016)),
    (132068, None, FlowStateError),
    (132069, None, RateLimitedError),
    (133010, None, FlowStateError),
    (139102, None, InvalidRequestError),
    (141002, None, FlowStateError),
    (141006, None, IntegrityError),
    (141010, None, IntegrityError),
    (141014, None, IntegrityError),
    (200006, None, InvalidRequestError),
    (2388093, None, InvalidRequestError),
    (2494100, None, InvalidRequestError),
    (2593107, None, InvalidRequestError),
    (987654, None, UnknownApiError),
    (139001, 1, FlowStateError),
    (80010, None, UnknownApiError),
]


@pytest.mark.parametrize(("code", "subcode", "expected"), ROWS)
def test_codes_become_errors(code: int, subcode: int | None, expected: type[ApiError]) -> None:
    """A code and subcode select the class, an unknown subcode falls back on its code, an unknown code has a class."""
    error = classified(refusal(code, subcode))
    assert type(error) is expected
    assert (error.code, error.subcode, error.http_status, error.fbtrace_id) == (code, subcode, 400, "AbCdEf")
    assert error.advice


# Causes without a published subcode: Meta's title distinguishes them.
TITLES: list[tuple[int, str, type[ApiError], str]] = [
    (100, "Invalid Flow JSON version", InvalidRequestError, "version"),
    (100, "Invalid Flow JSON data_api_version", InvalidRequestError, "data_api_version"),
    (100, "Flow with specified ID does not exist", NotFoundError, "flow id"),
    (100, "Only one clone source can be set", InvalidRequestError, "clone_template"),
    (100, "Specify Endpoint Uri in Flow JSON", InvalidRequestError, "Leave endpoint_uri out"),
    (100, "Invalid Endpoint URI", InvalidRequestError, "https"),
    (100, "Too many IDs. Maximum: 50. Provided: 51", InvalidRequestError, "50"),
    (100, "Invalid appsecret_proof provided in the API argument", AuthenticationError, "app_secret"),
    (100, "API calls from the server require an appsecret_proof argument", AuthenticationError, "app_secret"),
    (100, "Unsupported get request. Object with ID '1' does not exist", NotFoundError, "access"),
    (100, "Flow name is not unique", NameTakenError, "Look the flow up"),
    (100, "The host of that endpoint_uri does not exist", InvalidRequestError, "parameter"),
    (139001, "Specify Endpoint Uri in Flow JSON", InvalidRequestError, "Leave endpoint_uri out"),
    (139001, "Error while processing WELJ", FlowProcessingError, "same upload again"),
    (139001, "Flow JSON has been saved, but processing has failed.", FlowProcessingError, "same upload again"),
    (
        139002,
        "You need to verify that the flow has valid Flow JSON before publishing",
        PublishBlockedError,
        "validation_errors",
    ),
    (139002, "Publishing Flow in invalid state", FlowStateError, "PUBLISHED"),
    (139002, "Publishing Flow without data_channel_uri", PublishBlockedError, "data_channel_uri"),
    (139002, "Publishing without endpoint_uri is forbidden", PublishBlockedError, "endpoint_uri"),
    (139002, "Versions in Flow JSON file are not available for publishing", PublishBlockedError, "version"),
    (139002, "No Phone Number connected to WhatsApp Business Account", PublishBlockedError, "phone number"),
    (139002, "Missing Flows Signed Public Key", PublishBlockedError, "set_public_key"),
    (139002, "No Application Connected to the Flow", PublishBlockedError, "application_id"),
    (139002, "Endpoint Not Available", PublishBlockedError, "ping"),
    (139002, "WABA is not subscribed to Flows Webhooks", PublishBlockedError, "subscribe_app"),
    (139003, "Can't deprecate unpublished flow", FlowStateError, "Delete"),
    (139003, "Flow is already deprecated", FlowStateError, "nothing to do"),
    (139004, "Can't delete published Flow", FlowStateError, "Deprecate"),
]


@pytest.mark.parametrize(("code", "title", "expected", "remedy"), TITLES)
def test_a_cause_without_a_known_subcode_is_recognised_by_its_title(
    code: int, title: str, expected: type[ApiError], remedy: str
) -> None:
    """Meta's English title selects the row, wherever in the error it stands, and the row says what to do."""
    for field in ("error_user_title", "message", "error_user_msg"):
        texts: dict[str, Any] = {"message": "Invalid parameter", field: title}
        error = classified(refusal(code, **texts))
        assert type(error) is expected
        assert remedy in error.advice


def test_a_subcode_wins_over_a_title() -> None:
    """Titles are translated and reworded, so they count only without a known subcode."""
    error = classified(refusal(139001, 4016012, error_user_title="Specify Endpoint Uri in Flow JSON"))
    assert type(error) is FlowProcessingError


def test_the_table_is_sorted_and_complete() -> None:
    """Rows stand in order, each once, and each has a meaning, an advice and a source."""
    keys = [(row.code, -1 if row.subcode is None else row.subcode, row.title or "") for row in ERROR_CODES]
    assert keys == sorted(set(keys))
    assert len(ERROR_CODES) == len(keys)
    for row in ERROR_CODES:
        assert row.meaning
        assert row.advice.endswith(".")
        for source in row.source.split("; "):
            assert re.fullmatch(r"Meta, .+ \(https://[^ ]+\)|answers of the API that users have published", source)
        assert row.title is None or row.title == row.title.lower()


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, {"code": 987654, "is_transient": True}, ServiceUnavailableError),
        (400, {"code": 987654, "is_transient": False}, UnknownApiError),
        (500, {"code": 987654}, ServiceUnavailableError),
        (503, {"code": 987654, "is_transient": False}, ServiceUnavailableError),
        (429, {"code": 987654}, RateLimitedError),
        (401, {"code": 987654}, AuthenticationError),
        (403, {"code": 987654}, PermissionDeniedError),
        (404, {"code": 987654}, NotFoundError),
        (408, {"code": 987654}, ServiceUnavailableError),
        (418, {"code": 987654}, UnknownApiError),
        (400, {"message": "no code"}, InvalidRequestError),
        (400, {"is_transient": True}, ServiceUnavailableError),
        (302, {}, UnexpectedResponseError),
    ],
)
def test_an_unknown_code_falls_back_on_is_transient_then_on_the_status(
    status: int, error: dict[str, object], expected: type[FlowsError]
) -> None:
    """Without a row, `is_transient` decides, then the HTTP status."""
    assert type(classified(answer({"error": error}, status))) is expected


def test_a_known_code_wins_over_is_transient_and_the_status() -> None:
    """4016012 has `is_transient: false` and may be retried; code 3 comes with a 500 and may not."""
    assert type(classified(refusal(139001, 4016012, is_transient=False))) is FlowProcessingError
    assert type(classified(refusal(3, status=500))) is PermissionDeniedError
    assert type(classified(refusal(80008, status=400))) is RateLimitedError


BODIES: list[tuple[bytes, int, type[FlowsError]]] = [
    (b"<html><body>502 Bad Gateway</body></html>", 502, ServiceUnavailableError),
    (b"<html>blocked</html>", 403, PermissionDeniedError),
    (b"", 500, ServiceUnavailableError),
    (b"", 404, NotFoundError),
    (b'{"error": {"message": "cut o', 503, ServiceUnavailableError),
    (b'{"error": {"code": 139001', 400, InvalidRequestError),
    (b"\xff\xfe\x00nonsense\x80", 429, RateLimitedError),
    (b"[1, 2, 3]", 401, AuthenticationError),
    (b'"a string"', 500, ServiceUnavailableError),
    (b"null", 400, InvalidRequestError),
    (b'{"error": "invalid_token"}', 401, AuthenticationError),
    (b'{"error": null}', 400, InvalidRequestError),
    (b'{"error": []}', 400, InvalidRequestError),
    (b'{"error": {"code": "139001", "error_subcode": "4016012"}}', 400, FlowProcessingError),
    (b'{"error": {"code": "80008"}}', 400, RateLimitedError),
    (b'{"error": {"code": true}}', 400, InvalidRequestError),
    (b'{"error": {"code": 1.5}}', 400, InvalidRequestError),
    (b'{"error": {"code": {"a": 1}, "message": 7, "error_user_msg": []}}', 400, InvalidRequestError),
    (b"[" * 100_000, 500, ServiceUnavailableError),
    (b'{"error": {"code": ' + b"9" * 5000 + b"}}", 400, InvalidRequestError),
]


@pytest.mark.parametrize(("body", "status", "expected"), BODIES, ids=range(len(BODIES)))
def test_any_body_becomes_an_error_of_the_tree(body: bytes, status: int, expected: type[FlowsError]) -> None:
    """HTML, nothing, half a body, wrong types: classified by the readable parts; nothing else is raised."""
    error = classified(answer(body, status))
    assert type(error) is expected
    assert error.message
    assert error.http_status == status


@given(body=st.binary(max_size=200), status=st.integers(300, 599))
def test_no_bytes_break_the_reader(body: bytes, status: int) -> None:
    """Any body becomes an error of this library."""
    assert isinstance(classified(answer(body, status)), FlowsError)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


ERROR_FIELDS = (
    "code", "error_subcode", "message", "type", "is_transient", "error_user_title", "error_user_msg", "error_data",
    "fbtrace_id",
)  # fmt: skip


@given(error=st.fixed_dictionaries({}, optional=dict.fromkeys(ERROR_FIELDS, json_values)))
def test_no_types_break_the_reader(error: dict[str, object]) -> None:
    """Any JSON value may be in any field of an error."""
    assert isinstance(classified(answer(json.dumps({"error": error}).encode(), 400)), FlowsError)


@pytest.mark.parametrize(
    ("data", "shown"),
    [({"messaging_product": "whatsapp", "details": "why"}, "why"), ("plain", "plain"), ({"blame": [["name"]]}, None)],
)
def test_error_data_is_used_when_the_user_message_is_missing(data: object, shown: str | None) -> None:
    """`error_data` comes as an object with details, as a string, and as something else."""
    assert classified(refusal(100, error_data=data)).user_message == shown
    assert classified(refusal(100, error_data=data, error_user_msg="first")).user_message == "first"


def test_the_trace_id_may_be_in_a_header_alone() -> None:
    """Meta's support needs it for an answer without a body too."""
    assert classified(answer(b"", 500, {"x-fb-trace-id": "Hdr"})).fbtrace_id == "Hdr"


@pytest.mark.parametrize(
    ("code", "subcode", "words"),
    [
        (139000, None, ("get_health", "display name", "141006", "141010")),
        (139000, 4233020, ("get_health", "display name", "141006", "141010")),
        (139002, 4233024, ("endpoint_uri=", "remove data_api_version")),
        (139002, 4233046, ("Upgrade", "version", "data_api_version")),
        (141006, None, ("payment method",)),
        (131009, None, ("entry screens", "FLOW button")),
        (131026, None, ("update",)),
        (131047, None, ("send_flow_template",)),
        (131049, None, ("24 hours",)),
        (132000, None, ("body_parameters",)),
        (132001, None, ("APPROVED",)),
        (132068, None, ("endpoint",)),
        (132069, None, ("endpoint", "an hour")),
    ],
)
def test_the_advice_depends_on_the_subcode(code: int, subcode: int | None, words: tuple[str, ...]) -> None:
    """In any language: the subcode decides, not Meta's text."""
    found = classified(refusal(code, subcode, error_user_title="Fehler", error_user_msg="Es ging schief."))
    assert [word for word in words if word not in found.advice] == []


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Publishing without endpoint_uri is forbidden", "remove data_api_version"),
        ("Publishing without specifying 'endpoint_uri' is forbidden", "remove data_api_version"),
        ("Versions in Flow JSON not available for publishing", "Upgrade"),
    ],
)
def test_without_a_subcode_the_english_title_says_the_same(title: str, expected: str) -> None:
    """Meta leaves the subcode out in places."""
    assert expected in classified(refusal(139002, error_user_title=title)).advice


LIMITS = sorted({row.code for row in ERROR_CODES if row.error is RateLimitedError})


@pytest.mark.parametrize("code", LIMITS)
def test_a_rate_limit_without_a_figure_says_an_hour(code: int) -> None:
    """Meta counts over a rolling hour, refused calls included; the figure is marked as an estimate."""
    found = classified(refusal(code))
    assert (found.retry_after, found.details.retry_after_estimated) == (3600.0, True)
    assert "come back in an hour" in found.advice
    error = classified(refusal(code, headers={"Retry-After": "30"}))
    assert (error.retry_after, error.details.retry_after_estimated) == (30.0, False)


@pytest.mark.parametrize("code", LIMITS)
def test_a_rate_limit_without_a_figure_is_given_up_at_once(code: int) -> None:
    """One request, no wait: three in 15 seconds would only prolong the limit."""
    scene = Scene(refusal(code))
    with pytest.raises(RateLimitedError) as caught:
        scene.client.get_flow("1")
    assert caught.value.retry_after == 3600.0
    assert (len(scene.transport.requests), scene.time.sleeps) == (1, [])


def test_a_policy_that_may_wait_an_hour_does() -> None:
    """A policy with a `max_wait` of an hour waits."""
    scene = Scene(refusal(80008), DONE, retry_policy=ExponentialBackoff(max_wait=7200.0))
    scene.client.subscribe_app()
    assert scene.time.sleeps == [3600.0]


USAGE = "x-business-use-case-usage"


def usage(*minutes: object) -> str:
    return json.dumps({"102": [{"type": "whatsapp", "estimated_time_to_regain_access": each} for each in minutes]})


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:30 GMT", "date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": "Tue, 24 Nov 2026 09:00:00 GMT", "date": "Tue, 24 Nov 2026 10:00:00 GMT"}, None),
        ({"retry-after": "Thu, 01 Jan 1970 00:02:00 GMT"}, 20.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:02:00 GMT", "date": "gibberish"}, 20.0),
        ({USAGE: usage(19)}, 1140.0),
        ({USAGE: usage(0, 2, 1)}, 120.0),
        ({USAGE: usage("3")}, 180.0),
        ({USAGE: usage(0)}, None),
        ({USAGE: '{"1": {"estimated_time_to_regain_access": 4}}'}, 240.0),
        ({USAGE: '{"1": [{"call_count": 100}], "2": 7, "3": [null]}'}, None),
        ({USAGE: usage(-1, True, None, [], 1e300, "x")}, None),
        ({USAGE: "{broken"}, None),
        ({USAGE: "[]"}, None),
        ({"retry-after": "Thu Jan  1 00:02:00 1970"}, 20.0),
        ({"Retry-After": "30"}, 30.0),
        ({"retry-after": "30", USAGE: usage(1)}, 60.0),
        ({"retry-after": "90", USAGE: usage(1)}, 90.0),
    ],
)
def test_retry_after_is_read_from_both_headers(headers: dict[str, str], seconds: float | None) -> None:
    """Retry-After, in both forms, and the usage header's minutes: the longer counts; invalid ones are ignored."""
    response = Response(status=429, headers=headers, received_at=100.0)
    assert retry_after(response) == seconds
    assert classified(response).retry_after == seconds


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_header_breaks_the_reader(after: str, business: str) -> None:
    """A header that cannot be read is ignored."""
    retry_after(Response(status=429, headers={"retry-after": after, USAGE: business}))


def test_the_token_is_masked_wherever_meta_echoes_it() -> None:
    """Meta quotes malformed tokens in its messages; none of them gets into an error."""
    slashed = "EAAG/with/slashes+and=signs0123456789"
    for token in (TOKEN, slashed):
        for echo in (token, token.replace("/", "\\/"), f"https://x/?access_token={token}&a=1"):
            response = refusal(
                190, message=f"Malformed access token {echo}", error_user_title=echo, error_user_msg=echo
            )
            error = classified(Response(status=401, body=response.body, token=Secret(token)))
            shown = f"{error} {error.details}"
            assert token not in shown
            assert "[redacted]" in shown


def test_a_token_of_another_client_is_masked_by_its_form() -> None:
    """It is masked although the transport does not name the token that it used."""
    assert TOKEN not in str(classified(refusal(190, message=f"Malformed access token {TOKEN}")))


def test_hosts_add_rows_and_replace_them() -> None:
    """`with_rows` makes a new table; the shipped one stays as it is."""
    table = ERROR_CODES.with_rows({(139001, 4016099): FlowProcessingError, (100, None): ServiceUnavailableError})
    assert type(classify(refusal(139001, 4016099), REQUEST, table)) is FlowProcessingError
    assert type(classify(refusal(100), REQUEST, table)) is ServiceUnavailableError
    assert type(classify(refusal(100, 33), REQUEST, table)) is NotFoundError
    assert type(classified(refusal(100))) is InvalidRequestError
    assert type(classify(refusal(100, message="Invalid Endpoint URI"), REQUEST, table)) is ServiceUnavailableError
    own = ErrorRow(139001, 4016099, FlowProcessingError, "ours", "Do as we say.", "the host")
    assert classify(refusal(139001, 4016099), REQUEST, table.with_rows({(139001, 4016099): own})).advice == own.advice
    assert table.find(139001, 4016099) != own
    assert classify(refusal(139001, 4016099), REQUEST, table).advice
    assert [row.code for row in table] == sorted(row.code for row in table)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (answer({"success": True}), False),
        (answer({"success": True, "validation_errors": [{"error": "INVALID_ENUM_VALUE"}]}), False),
        (answer({"error": {"code": 1}}), True),
        (answer({"success": True}, 201), False),
        (answer({"success": True}, 302), True),
        (answer(b"", 204), False),
    ],
)
def test_an_error_object_is_a_refusal_whatever_the_status(response: Response, expected: bool) -> None:
    """Graph has been seen to answer 200 with an error inside."""
    assert is_error(response, REQUEST) is expected


def test_a_downloaded_file_is_not_searched_for_errors() -> None:
    """It is a document, which may have a key `error`."""
    download = Request(method="GET", url="https://cdn", operation="download_flow_json", authenticated=False)
    assert is_error(answer({"error": {"code": 1}}), download) is False
