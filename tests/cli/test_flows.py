"""`flows` and `keys`: each command makes one call, and reports it as text or JSON."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.cli.support import PUBLIC_KEY, CommandLine
from tests.support import valid_flow
from whatsapp_flows.cli._json import as_json, json_text
from whatsapp_flows.cli._values import Downloaded
from whatsapp_flows.emulator import Emulator

FLOW_JSON = json.dumps(valid_flow())
SIZE = len(FLOW_JSON)
FAULTY_FLOW_JSON = '{\n  "version": "7.3",\n  "screens": []\n}'
FAULT = "  flow.json:3:14 MIN_ITEMS_REQUIRED: 'screens' of the document must have at least 1 item. (screens)"


@pytest.fixture
def booking(meta: Emulator) -> str:
    """The id of a draft."""
    return meta.add_flow("Booking", flow_json=FLOW_JSON).id


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A file with a Flow JSON."""
    path = tmp_path / "booking.json"
    path.write_text(FLOW_JSON)
    return path


def test_flows_are_listed(cli: CommandLine, meta: Emulator) -> None:
    """A table of id, name, status, categories and number of errors; a message for an empty account."""
    assert cli("flows", "list").out == "The account has no flows.\n"
    first = meta.add_flow("Booking", categories=("SURVEY", "OTHER"), flow_json=FAULTY_FLOW_JSON)
    second = meta.add_flow("Other", status="PUBLISHED")
    assert cli("flows", "list").out == (
        "ID                 Name     Status     Categories     Errors\n"
        f"{first.id}  Booking  DRAFT      SURVEY, OTHER       1\n"
        f"{second.id}  Other    PUBLISHED  OTHER               0\n"
    )
    listed = cli("flows", "list", "--json").json["flows"]
    assert [(flow["id"], flow["status"], flow["categories"]) for flow in listed] == [
        (first.id, "DRAFT", ["SURVEY", "OTHER"]),
        (second.id, "PUBLISHED", ["OTHER"]),
    ]
    assert [error["error"] for error in listed[0]["validation_errors"]] == ["MIN_ITEMS_REQUIRED"]


def test_one_flow_is_shown(cli: CommandLine, meta: Emulator) -> None:
    """Its properties, and each error in its Flow JSON with line and column."""
    flow = meta.add_flow("Booking", flow_json=FAULTY_FLOW_JSON, endpoint_uri="https://a.example/flow")
    lines = cli("flows", "get", flow.id).out.splitlines()
    assert lines[:3] == [f"id                 {flow.id}", "name               Booking", "status             DRAFT"]
    assert "endpoint           https://a.example/flow" in lines
    assert lines[-1] == FAULT
    found = cli("flows", "get", flow.id, "--json").json
    assert (found["name"], found["endpoint_uri"]) == ("Booking", "https://a.example/flow")
    assert found["validation_errors"][0] | {"message": ""} == {
        "error": "MIN_ITEMS_REQUIRED", "message": "", "line": 3, "column": 14, "path": "screens",
    }  # fmt: skip


def test_a_flow_is_created(cli: CommandLine, meta: Emulator, document: Path) -> None:
    """As a draft, or published at once."""
    outcome = cli("flows", "create", "New", "--category", "SURVEY", "--category", "OTHER")
    (flow,) = meta.flows()
    assert outcome.out == f"Created flow {flow.id}: New\n"
    assert (flow.name, flow.categories, flow.status) == ("New", ("SURVEY", "OTHER"), "DRAFT")
    outcome = cli("flows", "create", "Live", "--category", "OTHER", "--file", document, "--publish")
    flow = meta.flows()[1]
    assert outcome.out == f"Created and published flow {flow.id}: Live\n"
    assert flow.status == "PUBLISHED"


def test_a_flow_is_created_from_another(cli: CommandLine, meta: Emulator, booking: str) -> None:
    """With the Flow JSON of the other, and an endpoint of its own."""
    outcome = cli(
        "flows",
        "create",
        "Copy",
        "--category",
        "OTHER",
        "--clone",
        booking,
        "--endpoint",
        "https://a.example",
        "--json",
    )
    found = outcome.json
    assert found == {
        "id": meta.flows()[1].id, "name": "Copy", "published": False, "adopted": False, "success": True,
        "validation_errors": [],
    }  # fmt: skip
    assert meta.flow(found["id"]).endpoint_uri == "https://a.example"
    copied = meta.flow(found["id"]).document
    assert copied is not None
    assert copied.content.decode() == FLOW_JSON


def test_a_created_flow_with_errors_is_a_failure(cli: CommandLine) -> None:
    """The flow exists, its errors are shown, and the exit code is 1."""
    outcome = cli("flows", "create", "New", "--category", "OTHER", "--file", "-", stdin=FAULTY_FLOW_JSON)
    assert outcome.code == 1
    assert outcome.out.splitlines()[1:] == [
        "Meta found 1 error. The flow cannot be published:",
        FAULT,
    ]


def test_a_flow_whose_answer_was_lost_is_found(cli: CommandLine, meta: Emulator, document: Path) -> None:
    """It is not created twice, and the output says that it was found."""
    meta.fail("create_flow", reset="after", times=1)
    outcome = cli("flows", "create", "New", "--category", "OTHER", "--file", document)
    (flow,) = meta.flows()
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        f"Found flow {flow.id}: New",
        "Meta's response was lost, and the flow was then found by its name. It is in the requested state.",
    ]


def test_metadata_are_updated(cli: CommandLine, meta: Emulator, booking: str) -> None:
    """Only the given properties change."""
    outcome = cli(
        "flows", "update", booking, "--name", "New", "--category", "SURVEY", "--endpoint", "https://a.example"
    )
    assert outcome.out == f"Updated flow {booking}. It is a draft until you publish it.\n"
    flow = meta.flow(booking)
    assert (flow.name, flow.categories, flow.endpoint_uri) == ("New", ("SURVEY",), "https://a.example")
    assert cli("flows", "update", booking, "--application", "123", "--json").json == {"id": booking, "done": "updated"}
    assert (meta.flow(booking).application_id, meta.flow(booking).name) == ("123", "New")


@pytest.mark.parametrize("binary", [True, False])
def test_a_flow_json_is_uploaded_from_stdin(cli: CommandLine, meta: Emulator, booking: str, binary: bool) -> None:
    """`-` is stdin, whose bytes are sent as they are."""
    text = FLOW_JSON.replace("FIRST", "GRÖSSE")
    stdin = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="ascii") if binary else io.StringIO(text)
    assert cli("flows", "upload", booking, "-", stdin=stdin).code == 0
    document = meta.flow(booking).document
    assert document is not None
    assert document.content == text.encode()


def test_an_upload_is_retried_after_the_processing_error(
    cli: CommandLine, meta: Emulator, booking: str, document: Path
) -> None:
    """Two failures with 139001/4016012 are retried, and reported."""
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=2)
    outcome = cli("flows", "upload", booking, document)
    assert (outcome.code, cli.sleeps) == (0, [5.0, 10.0])
    assert outcome.out == f"Uploaded {SIZE} bytes to flow {booking} on attempt 3. It is a draft until you publish it.\n"
    assert "Meta flow processing error detected (retryable): " in outcome.err
    assert "; retry 2/3 in 5 s" in outcome.err
    assert cli("flows", "upload", booking, document, "--json").json == {
        "id": booking, "bytes": SIZE, "attempts": 1, "validation_errors": [],
    }  # fmt: skip


def test_an_upload_with_errors_is_a_failure(cli: CommandLine, meta: Emulator, booking: str) -> None:
    """Meta stores it and does not publish it: the errors are shown, and the exit code is 1."""
    outcome = cli("flows", "upload", booking, "-", stdin=FAULTY_FLOW_JSON)
    assert outcome.code == 1
    assert "  flow.json:3:14 MIN_ITEMS_REQUIRED" in outcome.out


@pytest.mark.parametrize(
    ("content", "message"),
    [("[]", "error: json must be a JSON object"), (None, "cannot be read: No such file or directory.")],
)
def test_what_is_no_flow_json_is_not_sent(
    cli: CommandLine, meta: Emulator, tmp_path: Path, content: str | None, message: str
) -> None:
    """A file that is missing or holds no JSON object is a usage error."""
    path = tmp_path / "x.json"
    if content is not None:
        path.write_text(content)
    outcome = cli("flows", "upload", "1", path)
    assert outcome.code == 2
    assert message in outcome.err
    assert not meta.requests


def test_a_flow_is_published_deprecated_and_deleted(cli: CommandLine, meta: Emulator, booking: str) -> None:
    """Published, deprecated; and another one deleted."""
    assert cli("flows", "publish", booking).out == f"Published flow {booking}.\n"
    assert cli("flows", "deprecate", booking, "--yes").out == f"Deprecated flow {booking}.\n"
    assert meta.flow(booking).status == "DEPRECATED"
    other = meta.add_flow("Other").id
    assert cli("flows", "delete", other, "--yes", "--json").json == {"id": other, "done": "deleted"}
    assert len(meta.flows()) == 1


def test_a_preview_is_a_link(cli: CommandLine, booking: str) -> None:
    """The link is alone on its line; --invalidate creates a new one."""
    link, note = cli("flows", "preview", booking).out.splitlines()
    assert link.startswith("https://")
    assert note.startswith("Anyone with this link can open the flow until ")
    assert cli("flows", "preview", booking, "--json").json["url"] == link
    assert cli("flows", "preview", booking, "--invalidate").out.splitlines()[0] != link


def test_a_preview_without_an_end_is_a_link_alone(cli: CommandLine, meta: Emulator, booking: str) -> None:
    """If Meta returns no date, none is shown."""
    meta.fail("get_preview", body={"id": booking, "preview": {"preview_url": "https://x.example"}})
    assert cli("flows", "preview", booking).out == "https://x.example\n"


def test_the_stored_flow_json_is_downloaded(cli: CommandLine, booking: str, tmp_path: Path) -> None:
    """To stdout as it is, or to a file; as JSON also as a document."""
    assert cli("flows", "download", booking).out == FLOW_JSON
    assert cli("flows", "download", booking, "-o", "-").out == FLOW_JSON
    path = tmp_path / "x.json"
    assert cli("flows", "download", booking, "-o", path).out == f"Wrote {SIZE} bytes of flow {booking} to {path}.\n"
    assert path.read_text() == FLOW_JSON
    assert cli("flows", "download", booking, "--json").json == {
        "id": booking, "bytes": SIZE, "file": None, "flow_json": json.loads(FLOW_JSON),
    }  # fmt: skip


def test_a_download_that_is_no_json_is_no_document(cli: CommandLine, meta: Emulator) -> None:
    """With --json the document is null; without, the bytes are written unchanged."""
    flow = meta.add_flow("Booking", flow_json=b"{\xff")
    assert cli("flows", "download", flow.id, "--json").json["flow_json"] is None
    assert cli("flows", "download", flow.id).out == "{\ufffd"


def test_a_file_that_cannot_be_written_is_reported(cli: CommandLine, booking: str, tmp_path: Path) -> None:
    """A path in a folder that does not exist is a usage error."""
    outcome = cli("flows", "download", booking, "-o", tmp_path / "no" / "x.json")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {tmp_path / 'no' / 'x.json'} cannot be written: No such file")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_download_is_written_to_a_device(cli: CommandLine, booking: str) -> None:
    """A device is written to and not replaced; an error of it is a usage error."""
    assert cli("flows", "download", booking, "-o", "/dev/null").code == 0
    outcome = cli("flows", "download", booking, "-o", "/dev/full")
    assert (outcome.code, outcome.err) == (2, "error: /dev/full cannot be written: No space left on device.\n")


def test_flows_are_migrated(cli: CommandLine, meta: Emulator) -> None:
    """The given ones or all; if one could not be copied, it is shown, and the exit code is 1."""
    assert cli("flows", "migrate", meta.waba_id).out == "The source account has no flows to copy.\n"
    meta.add_account("77")
    meta.add_flow("One", waba_id="77")
    meta.add_flow("Two", waba_id="77")
    outcome = cli("flows", "migrate", "77", "One", "Three")
    copy = meta.flows(meta.waba_id)[0]
    assert outcome.code == 1
    assert outcome.out.splitlines() == [
        "Name   Result  ID                 Reason",
        f"One    copied  {copy.id}",
        "Three  failed                     Flows Migration Error: Flow name not found in source WABA.",
    ]
    found = cli("flows", "migrate", "77", "--json").json
    assert [flow["name"] for flow in found["migrated"]] == ["Two"]
    assert [(flow["name"], flow["code"]) for flow in found["failed"]] == [("One", 4233041)]


def test_a_public_key_is_set_and_shown(cli: CommandLine, meta: Emulator, tmp_path: Path) -> None:
    """From a file or stdin; a message for a number without a key."""
    phone = meta.phone_number_id
    assert cli("keys", "get", phone).out == f"Public key of phone number {phone}: MISMATCH\nNo key is set.\n"
    (tmp_path / "key.pem").write_text(PUBLIC_KEY)
    assert cli("keys", "set", phone, tmp_path / "key.pem").out == f"Set the public key of phone number {phone}.\n"
    assert cli("keys", "set", phone, "-", stdin=PUBLIC_KEY).code == 0
    assert cli("keys", "get", phone).out == f"Public key of phone number {phone}: VALID\n{PUBLIC_KEY}"
    assert cli("keys", "get", phone, "--json").json == {
        "phone_number_id": phone, "status": "VALID", "pem": PUBLIC_KEY.strip(),
    }  # fmt: skip


def test_what_is_no_public_key_is_not_sent(cli: CommandLine, meta: Emulator) -> None:
    """Least of all a private one."""
    outcome = cli("keys", "set", "1", "-", stdin="-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    assert outcome.code == 2
    assert not meta.requests


def test_a_flow_is_shown_with_its_health(cli: CommandLine, meta: Emulator) -> None:
    """The entities that prevent sending, with Meta's suggestions; in JSON, all entities."""
    flow = meta.add_flow("Booking", flow_json=FAULTY_FLOW_JSON)
    lines = cli("flows", "get", flow.id).out.splitlines()
    assert "health             BLOCKED" in lines
    at = lines.index(f"  FLOW {flow.id}: BLOCKED")
    assert lines[at + 1].startswith("    131000 ")
    assert lines[at + 2].startswith("      ")
    health = cli("flows", "get", flow.id, "--json").json["health"]
    assert health["can_send_message"] == "BLOCKED"
    assert {"FLOW", "WABA", "BUSINESS", "APP"} == {entity["type"] for entity in health["entities"]}
    number = cli("flows", "get", flow.id, "--phone-number", meta.phone_number_id, "--json").json["health"]
    assert "PHONE_NUMBER" in {entity["type"] for entity in number["entities"]}


def test_a_flow_is_shown_although_meta_does_not_tell_its_health(cli: CommandLine, meta: Emulator) -> None:
    """The flow is shown without it, unless --phone-number asked for it."""
    flow = meta.add_flow("Booking")
    meta.fail("get_health", code=100)
    outcome = cli("flows", "get", flow.id)
    assert (outcome.code, "health" in outcome.out) == (0, False)
    assert cli("flows", "get", flow.id, "--json").json["health"] is None
    assert cli("flows", "get", flow.id, "--phone-number", "1").code == 1


def test_a_flow_is_found_by_its_name(cli: CommandLine, meta: Emulator) -> None:
    """Also one of digits only; an id is tried first, and an unknown one is an error."""
    booking, digits = meta.add_flow("Booking [1]"), meta.add_flow("2026")
    assert cli("flows", "get", "Booking [1]", "--json").json["id"] == booking.id
    assert cli("flows", "get", "2026", "--json").json["id"] == digits.id
    missing = cli("flows", "get", "No\x1b[2Jthing")
    assert missing.code == 1
    assert f"account {meta.waba_id} has no flow named No\\x1b[2Jthing." in missing.err
    assert "flows list" in missing.err
    assert "code 100/33" in cli("flows", "get", "1").err
    assert cli("flows", "get", "Booking [1]", env={"WHATSAPP_FLOWS_WABA_ID": ""}).code == 2


def test_a_taken_name_comes_with_the_id(cli: CommandLine, meta: Emulator) -> None:
    """If the id cannot be found, Meta's error is shown unchanged."""
    flow = meta.add_flow("Booking")
    outcome = cli("flows", "create", "Booking", "--category", "OTHER")
    assert outcome.code == 1
    assert f"Flow {flow.id} has this name: use that flow, or another name." in outcome.err
    meta.fail("list_flows", code=10)
    assert "code 100/4016019" in cli("flows", "create", "Booking", "--category", "OTHER").err


HOSTILE = '{"version": "7.3", "screens": [], "x": "\x9b2J\u202e"}'


def test_a_download_does_not_act_on_a_terminal(cli: CommandLine, meta: Emulator) -> None:
    """Control characters are escaped there; a pipe gets the bytes unchanged."""
    flow = meta.add_flow("Booking", flow_json=HOSTILE)
    assert cli("flows", "download", flow.id).out == HOSTILE
    shown = cli("flows", "download", flow.id, terminal=True).out
    assert r'"x": "\x9b2J\u202e"' in shown
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown)


@pytest.mark.parametrize(
    "document",
    [
        '{"version": NaN}',
        '{"version": "7.3", "x": -Infinity}',
        '{"version": "7.3", "x": 1e999}',
        '{"version": "7.3", "x": ' + "[" * 900 + "]" * 900 + "}",
    ],
)
def test_json_never_has_what_is_no_json(document: str) -> None:
    """NaN and infinities are null wherever they come from, and so is a document that is nested too deeply."""
    shown = json_text(as_json(Downloaded(flow_id="1", content=document.encode())))
    found = json.loads(shown, parse_constant=pytest.fail)
    assert found["flow_json"] is None or found["flow_json"]["x"] is None
    assert found["bytes"] == len(document)


def test_numbers_that_are_none_are_null() -> None:
    """In every object."""
    assert json.loads(json_text({"a": [float("nan"), (float("inf"),)], "b": {"c": -float("inf")}, "d": 1.5})) == {
        "a": [None, [None]], "b": {"c": None}, "d": 1.5,
    }  # fmt: skip
