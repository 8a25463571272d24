"""What is safe to repeat: after a lost answer the state is read first, and nothing happens twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.support import DONE, FLOW, PROCESSING, TOKEN, UPLOADED, WABA, FakeTime, Scene, answer, refusal, valid_flow
from whatsapp_flows import (
    FlowsClient,
    FlowsError,
    FlowStateError,
    NameTakenError,
    NoAnswerError,
    NotFoundError,
    NotSentError,
    PublishBlockedError,
    Response,
    ServiceUnavailableError,
    UnexpectedResponseError,
)
from whatsapp_flows.emulator import Emulator

LOST = NoAnswerError("silence")
SOON = {"Retry-After": "1"}
DOCUMENT = json.dumps(valid_flow())
TAKEN = refusal(100, 4016019, error_user_title="Flow name is not unique")
GONE = refusal(100, 33, message="Unsupported get request.")
NOT_A_DRAFT = refusal(139002, error_user_title="Publishing Flow in invalid state")


def status(word: str) -> Response:
    return answer({"id": FLOW, "status": word})


def listing(*flows: tuple[str, str, str]) -> Response:
    return answer({"data": [{"id": each, "name": name, "status": state} for each, name, state in flows]})


Call = Callable[[FlowsClient], object]
PUBLISH: Call = lambda c: c.publish_flow(FLOW)  # noqa: E731
DEPRECATE: Call = lambda c: c.deprecate_flow(FLOW)  # noqa: E731
DELETE: Call = lambda c: c.delete_flow(FLOW)  # noqa: E731
CREATE: Call = lambda c: c.create_flow("Solar", ["OTHER"])  # noqa: E731

LIST = f"GET {WABA}/flows"
NODE = f"GET {FLOW}"

# call, what the server answers, what is sent (methods and paths without the query)
DONE_ALREADY: list[tuple[Call, list[Response | BaseException], list[str]]] = [
    (PUBLISH, [LOST, status("PUBLISHED")], [f"POST {FLOW}/publish", NODE]),
    (PUBLISH, [refusal(2), status("PUBLISHED")], [f"POST {FLOW}/publish", NODE]),
    (PUBLISH, [LOST, status("THROTTLED")], [f"POST {FLOW}/publish", NODE]),
    (PUBLISH, [LOST, status("DRAFT"), DONE], [f"POST {FLOW}/publish", NODE, f"POST {FLOW}/publish"]),
    (PUBLISH, [LOST, status("DRAFT"), NOT_A_DRAFT, status("PUBLISHED")],
     [f"POST {FLOW}/publish", NODE, f"POST {FLOW}/publish", NODE]),
    (DEPRECATE, [LOST, status("DEPRECATED")], [f"POST {FLOW}/deprecate", NODE]),
    (DEPRECATE, [LOST, status("PUBLISHED"), DONE], [f"POST {FLOW}/deprecate", NODE, f"POST {FLOW}/deprecate"]),
    (DEPRECATE, [LOST, status("PUBLISHED"), refusal(139003), status("DEPRECATED")],
     [f"POST {FLOW}/deprecate", NODE, f"POST {FLOW}/deprecate", NODE]),
    (DELETE, [LOST, GONE], [f"DELETE {FLOW}", NODE]),
    (DELETE, [LOST, refusal(100, error_user_title="Flow with specified ID does not exist")], [f"DELETE {FLOW}", NODE]),
    (DELETE, [LOST, status("DRAFT"), DONE], [f"DELETE {FLOW}", NODE, f"DELETE {FLOW}"]),
    (DELETE, [LOST, status("DRAFT"), GONE, GONE], [f"DELETE {FLOW}", NODE, f"DELETE {FLOW}", NODE]),
    (CREATE, [LOST, listing(("5", "Solar", "DRAFT"))], [f"POST {WABA}/flows", LIST]),
    (CREATE, [refusal(131000, status=500), listing(("5", "Solar", "DRAFT"))], [f"POST {WABA}/flows", LIST]),
    (CREATE, [LOST, listing(("5", "Other", "DRAFT")), answer({"id": "6"})],
     [f"POST {WABA}/flows", LIST, f"POST {WABA}/flows"]),
    (CREATE, [LOST, listing(("5", "Solar", "DEPRECATED")), answer({"id": "6"})],
     [f"POST {WABA}/flows", LIST, f"POST {WABA}/flows"]),
    (CREATE, [LOST, listing(), TAKEN, listing(("5", "Solar", "DRAFT"))],
     [f"POST {WABA}/flows", LIST, f"POST {WABA}/flows", LIST]),
    (CREATE, [LOST, listing(), refusal(4, headers=SOON), listing(("5", "Solar", "DRAFT"))],
     [f"POST {WABA}/flows", LIST, f"POST {WABA}/flows", LIST]),
    (CREATE, [LOST, LOST, listing(("5", "Solar", "DRAFT"))], [f"POST {WABA}/flows", LIST, LIST]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "script", "sent"), DONE_ALREADY, ids=range(len(DONE_ALREADY)))
def test_the_state_is_read_before_the_work_is_repeated(
    call: Call, script: list[Response | BaseException], sent: list[str]
) -> None:
    """Found done: returned. Not done: sent again. A refusal that our first attempt may have caused: read again."""
    scene = Scene(*script)
    call(scene.client)
    assert [request.partition("?")[0] for request in scene.transport.sent] == sent
    assert scene.transport.script == []


@pytest.mark.parametrize(
    ("call", "script", "error"),
    [
        (PUBLISH, [NOT_A_DRAFT], FlowStateError),
        (PUBLISH, [LOST, status("DRAFT"), refusal(139002, 4016011), status("DRAFT")], PublishBlockedError),
        (DEPRECATE, [refusal(139003)], FlowStateError),
        (DELETE, [GONE], NotFoundError),
        (DELETE, [LOST, status("DRAFT"), refusal(139004)], FlowStateError),
        (DELETE, [LOST, answer(b"<html>no such page</html>", 404)], NotFoundError),
        (CREATE, [TAKEN], NameTakenError),
        (CREATE, [NotSentError("x"), TAKEN], NameTakenError),
        (CREATE, [LOST, listing(), TAKEN, listing()], NameTakenError),
        (CREATE, [LOST, refusal(190)], FlowsError),
        (CREATE, [answer(b"")], UnexpectedResponseError),
    ],
)
def test_a_refusal_that_our_own_attempt_did_not_cause_is_raised(
    call: Call, script: list[Response | BaseException], error: type[FlowsError]
) -> None:
    """Without a lost answer before it, or when the state does not explain it."""
    scene = Scene(*script)
    with pytest.raises(error):
        call(scene.client)
    assert scene.transport.script == []


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.update_flow_json(FLOW, DOCUMENT),
        lambda c: c.update_flow(FLOW, name="b"),
        lambda c: c.subscribe_app(),
    ],
)
def test_an_idempotent_operation_is_sent_again_without_a_lookup(call: Call) -> None:
    """Reading the state first would only cost a request."""
    scene = Scene(LOST, refusal(2), UPLOADED)
    call(scene.client)
    assert len(set(scene.transport.sent)) == 1


def test_an_error_with_a_known_outcome_needs_no_lookup() -> None:
    """After a refused connection or a rate limit, the create is sent again at once."""
    scene = Scene(NotSentError("x"), refusal(80008, headers=SOON), answer({"id": "5"}))
    created = scene.client.create_flow("Solar", ["OTHER"])
    assert not created.adopted
    assert scene.transport.sent == [f"POST {WABA}/flows"] * 3


def test_an_adopted_flow_says_so() -> None:
    """The result says that the id was looked up, and whether everything that was asked for is there."""
    scene = Scene(LOST, listing(("5", "Solar", "DRAFT")))
    created = scene.client.create_flow("Solar", ["OTHER"])
    assert (created.id, created.adopted, created.success) == ("5", True, True)
    scene = Scene(LOST, listing(("5", "Solar", "DRAFT")))
    assert scene.client.create_flow("Solar", ["OTHER"], publish=True).success is False


ASSETS = answer({"data": [{"asset_type": "FLOW_JSON", "download_url": "https://cdn.example/x"}]})


@pytest.mark.parametrize(
    ("stored", "success"),
    [
        ([ASSETS, answer(json.dumps(json.loads(DOCUMENT), indent=4).encode())], True),
        ([ASSETS, answer(b'{"version": "7.2"}')], False),
        ([ASSETS, answer(b"not json")], False),
        ([answer({"data": []})], False),
    ],
)
def test_an_adopted_flow_is_compared_with_what_was_sent(stored: list[Response], success: bool) -> None:
    """`success` is true only when the stored document has the same JSON values."""
    scene = Scene(LOST, listing(("5", "Solar", "DRAFT")), *stored)
    created = scene.client.create_flow("Solar", ["OTHER"], flow_json=DOCUMENT)
    assert (created.adopted, created.success) == (True, success)


def test_a_create_that_fails_processing_is_finished() -> None:
    """4016012 means that the flow exists: its document is sent again, and it is published as asked."""
    scene = Scene(PROCESSING, listing(("5", "Solar", "DRAFT")), PROCESSING, listing(("5", "Solar", "DRAFT")),
                  UPLOADED, DONE)  # fmt: skip
    created = scene.client.create_flow("Solar", ["OTHER"], flow_json=DOCUMENT, publish=True)
    assert (created.id, created.adopted, created.success) == ("5", True, True)
    assert [request.partition("?")[0] for request in scene.transport.sent] == [
        f"POST {WABA}/flows", LIST, "POST 5/assets", LIST, "POST 5/assets", "POST 5/publish",
    ]  # fmt: skip
    assert scene.time.sleeps == [5.0, 10.0]


@pytest.mark.parametrize("lost", [LOST, refusal(2, status=503)])
def test_a_create_that_failed_processing_is_finished_whatever_comes_between(lost: Response | BaseException) -> None:
    """After a 4016012 the stored document proves nothing; only a successful upload does."""
    draft = listing(("5", "Solar", "DRAFT"))
    scene = Scene(PROCESSING, draft, lost, draft, UPLOADED, DONE)
    created = scene.client.create_flow("Solar", ["OTHER"], flow_json=DOCUMENT, publish=True)
    assert (created.id, created.success) == ("5", True)
    assert scene.transport.sent[-2:] == ["POST 5/assets", "POST 5/publish"]


def test_a_create_that_failed_processing_and_was_published_is_done() -> None:
    """The answer to the publishing may be the one that was lost."""
    draft = listing(("5", "Solar", "DRAFT"))
    scene = Scene(PROCESSING, draft, UPLOADED, LOST, listing(("5", "Solar", "PUBLISHED")))
    assert scene.client.create_flow("Solar", ["OTHER"], flow_json=DOCUMENT, publish=True).success


def test_a_clone_that_failed_processing_is_not_a_success() -> None:
    """There is no document to send again."""
    scene = Scene(PROCESSING, listing(("5", "Solar", "DRAFT")))
    created = scene.client.create_flow("Solar", ["OTHER"], clone_flow_id="7")
    assert (created.adopted, created.success) == (True, False)


@pytest.mark.parametrize("failure", [NotSentError("no way to the CDN"), answer(b"[" * 100_000)])
def test_a_flow_is_adopted_when_its_document_cannot_be_compared(failure: Response | BaseException) -> None:
    """`success` is false; an upload corrects that."""
    scene = Scene(LOST, listing(("5", "Solar", "DRAFT")), ASSETS, failure)
    created = scene.client.create_flow("Solar", ["OTHER"], flow_json=DOCUMENT)
    assert (created.id, created.adopted, created.success) == ("5", True, False)


@pytest.mark.parametrize("last", [NotSentError("refused"), refusal(190)])
def test_a_lookup_that_fails_is_a_failure_of_the_call(last: Response | BaseException) -> None:
    """The error says that the create may have been carried out, and does not advise to send it again."""
    with pytest.raises(FlowsError) as caught:
        Scene(LOST, last, max_attempts=2).client.create_flow("Solar", ["OTHER"])
    assert caught.value.operation == "create_flow"
    assert caught.value.may_have_acted
    assert "read the state first" in caught.value.advice
    assert isinstance(last, BaseException) or "list_flows" in caught.value.message


def test_a_refused_publishing_names_the_draft() -> None:
    """The draft exists although Meta's answer has no id; without a successful lookup the refusal is raised as it is."""
    refused = refusal(139002, 4233014)
    for lookup, flow_id in ((listing(("5", "Solar", "DRAFT")), "5"), (listing(), None), (refusal(10), None)):
        scene = Scene(refused, lookup)
        with pytest.raises(PublishBlockedError) as caught:
            scene.client.create_flow("Solar", ["OTHER"], flow_json=DOCUMENT, publish=True)
        assert caught.value.flow_id == flow_id
        assert caught.value.subcode == 4233014


def test_publish_without_a_document_is_no_success() -> None:
    """Meta then creates a draft, and reports no error."""
    assert Scene(answer({"id": "1"})).client.create_flow("a", ["OTHER"], publish=True).success is False
    assert Scene(answer({"id": "1"})).client.create_flow("a", ["OTHER"]).success is True


def test_a_finished_create_with_issues_is_not_published() -> None:
    """Meta would refuse it; the result has the issues."""
    issues = answer({"success": True, "validation_errors": [{"error": "X", "message": "y"}]})
    scene = Scene(PROCESSING, listing(("5", "Solar", "DRAFT")), issues)
    created = scene.client.create_flow("Solar", ["OTHER"], flow_json=DOCUMENT, publish=True)
    assert not created.success
    assert created.validation_errors[0].error == "X"


EXISTS = {"source_name": "a", "error_code": "4233041", "error_message": "Flow with the same name exists."}
MISSING = {"source_name": "b", "error_code": "4233041", "error_message": "Flow name not found in source WABA."}
ABSENT = {"source_name": "c", "error_code": "4233041", "error_message": "That flow does not exist."}


def test_a_migration_after_a_lost_answer_recognises_its_own_copies() -> None:
    """Names that are refused because they exist are looked up; the others stay in `failed`."""
    again = answer({"migrated_flows": [], "failed_flows": [EXISTS, MISSING, ABSENT]})
    scene = Scene(LOST, again, listing(("5", "a", "DRAFT"), ("6", "b", "DRAFT"), ("7", "c", "DRAFT")))
    migration = scene.client.migrate_flows("77", ["a", "b", "c"])
    (copied,) = migration.migrated
    assert (copied.source_name, copied.migrated_id, copied.adopted) == ("a", "5", True)
    assert [failure.source_name for failure in migration.failed] == ["b", "c"]
    assert migration.failed[0].raw == MISSING
    assert len(migration.raw) == 1


def test_a_migration_without_a_lost_answer_looks_nothing_up() -> None:
    """A name that existed before stays in `failed`."""
    scene = Scene(answer({"migrated_flows": [], "failed_flows": [EXISTS]}))
    assert scene.client.migrate_flows("77").failed[0].source_name == "a"


# Over a real socket, against the emulator: the answer is cut off after the work is done.


@pytest.fixture(scope="module")
def meta() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def client(meta: Emulator) -> Iterator[FlowsClient]:
    meta.clear_faults()
    time = FakeTime()
    with FlowsClient(TOKEN, meta.waba_id, base_url=meta.url, sleep=time.sleep, timeout=5.0) as flows_client:
        yield flows_client


LOSSES = [{"reset": "after"}, {"truncate": 5}, {"status": 502, "body": b"<html>Bad Gateway</html>"}]


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_a_create_whose_answer_is_lost_makes_one_flow(
    meta: Emulator, client: FlowsClient, loss: dict[str, object]
) -> None:
    """Exactly one flow of that name exists afterwards, however the answer was lost."""
    name = f"once {loss}"
    meta.fail("create_flow", times=1, **loss)  # type: ignore[arg-type]
    created = client.create_flow(name, ["OTHER"], flow_json=DOCUMENT, publish=True)
    assert created.success
    flows = [flow for flow in client.list_flows() if flow.name == name]
    assert [flow.id for flow in flows] == [created.id]
    assert flows[0].status == "PUBLISHED"


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_each_step_of_a_lifecycle_survives_a_lost_answer(
    meta: Emulator, client: FlowsClient, loss: dict[str, object]
) -> None:
    """Create, upload, publish, deprecate, and delete another: each is carried out once."""
    for operation in ("create_flow", "update_flow_json", "publish_flow", "deprecate_flow", "delete_flow"):
        meta.fail(operation, times=1, **loss)  # type: ignore[arg-type]
    flow = client.create_flow(f"life {loss}", ["OTHER"])
    client.update_flow_json(flow.id, DOCUMENT)
    client.publish_flow(flow.id)
    client.deprecate_flow(flow.id)
    assert client.get_flow(flow.id).status == "DEPRECATED"
    other = client.create_flow(f"short life {loss}", ["OTHER"])
    client.delete_flow(other.id)
    with pytest.raises(NotFoundError):
        client.get_flow(other.id)


def test_a_migration_whose_answer_is_lost_copies_once(meta: Emulator, client: FlowsClient) -> None:
    """The copies of the first request are found by the second."""
    source = "20100000000000077"
    meta.add_account(source)
    there = client.with_options(waba_id=source)
    names = [f"moving {number}" for number in range(3)]
    for name in names:
        there.create_flow(name, ["OTHER"], flow_json=DOCUMENT)
    meta.fail("migrate_flows", times=1, reset="after")
    migration = client.migrate_flows(source, names)
    assert sorted(flow.source_name for flow in migration.migrated) == names
    assert all(flow.adopted for flow in migration.migrated)
    assert migration.failed == ()


def test_the_error_of_a_service_that_stays_down_has_advice(meta: Emulator, client: FlowsClient) -> None:
    """After the last attempt the advice is to look before creating again."""
    meta.fail("create_flow", code=2, status=503, times=3)
    with pytest.raises(ServiceUnavailableError) as caught:
        client.create_flow("never", ["OTHER"])
    assert len(caught.value.attempts) == 2
