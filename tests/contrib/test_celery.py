"""Flows for many accounts through Celery: real workers, a real Redis, and the emulator in Meta's place."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.exceptions import Reject
from redis import Redis

from tests.contrib.celery_host import host
from tests.contrib.conftest import HAS_SERVER, free_port
from tests.contrib.workers import WorkerServer, eventually
from tests.support import valid_flow
from whatsapp_flows import ConfigurationError, FlowsClient
from whatsapp_flows.contrib.celery import SETTINGS, FleetDeployment, FlowDeployment, FlowsTasks
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import DesiredFlow, digest_of

ACCOUNTS = ("102290129340398", "102290129340399", "102290129340400")
TOKENS = {account: f"EAAGm0PX4ZCpsBAKZBxSecretOf{account}ZDZD" for account in ACCOUNTS}
BOOKING = DesiredFlow.from_flow_json("booking", valid_flow(), name="Booking", publish=True)
SURVEY = DesiredFlow.from_flow_json("survey", valid_flow("QUESTION"), name="Survey")


@pytest.fixture
def meta() -> Iterator[Emulator]:
    with Emulator(tokens=TOKENS.values(), waba_id=ACCOUNTS[0]) as emulator:
        for number, account in enumerate(ACCOUNTS[1:], 1):
            emulator.add_account(account)
            emulator.add_phone_number(f"{emulator.phone_number_id}{number}", waba_id=account)
        yield emulator


@pytest.fixture
def options(redis: Redis, meta: Emulator, tmp_path: Path) -> dict[str, Any]:
    """The options of the host's processes, without a token."""
    tokens = tmp_path / "tokens.json"
    tokens.write_text(json.dumps(TOKENS))
    port = redis.connection_pool.connection_kwargs["port"]
    return {"redis": f"redis://127.0.0.1:{port}/0", "meta": meta.url, "tokens": str(tokens)}


@pytest.fixture(scope="module")
def workers() -> Iterator[WorkerServer]:
    """Starts workers quickly."""
    server = WorkerServer()
    yield server
    server.close()


@pytest.fixture
def tasks(options: dict[str, Any]) -> Iterator[FlowsTasks]:
    made = host(options)
    yield made
    close(made)


def close(tasks: FlowsTasks) -> None:
    """The connections of a host that stays in this process."""
    tasks.deploy_flow.app.close()


def deployed(meta: Emulator, account: str) -> list[tuple[str, str, bool]]:
    """The flows of an account: names, states, and whether the Flow JSON is the desired one."""
    wanted = {flow.name: flow.digest for flow in (BOOKING, SURVEY)}
    return sorted(
        (it.name, it.status, it.document is not None and digest_of(it.document.content) == wanted[it.name])
        for it in meta.flows(account)
    )


AS_DESIRED = [("Booking", "PUBLISHED", True), ("Survey", "DRAFT", True)]


def collected(deployment: FleetDeployment) -> list[FlowDeployment]:
    return [result for results in deployment.results(timeout=30).values() for result in results]


class Everything:
    """Records all commands that Redis receives."""

    def __init__(self, port: int) -> None:
        self.commands: list[str] = []
        self._client = Redis(port=port, socket_timeout=None)  # workers may be silent for longer than its 10 s
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        with self._client.monitor() as monitor:  # type: ignore[no-untyped-call]
            self._ready.set()
            for command in monitor.listen():
                self.commands.append(str(command["command"]))
                if "the end" in self.commands[-1]:
                    return

    def __enter__(self) -> Everything:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._client.echo("the end")
        self._thread.join(30)
        self._client.close()


# Workers


@pytest.mark.skipif(not HAS_SERVER and os.environ.get("CI") != "true", reason="needs MONITOR of a real redis-server")
def test_a_fleet_is_deployed_by_workers_that_share_it(
    redis: Redis, meta: Emulator, options: dict[str, Any], workers: WorkerServer, tmp_path: Path
) -> None:
    """
    Three accounts, two workers of different kinds, an API that fails now and then, a budget that is soon spent.

    Each flow ends as desired and exists once, no more leaves than the budget allows, nobody sleeps, the results come
    by account, and the token is in none of the places where such things are found.
    """
    meta.fail("update_flow_json", code=139001, subcode=4016012, every=3)
    meta.fail("create_flow", code=2, every=3)
    options = {**options, "rate": "4/second", "results": str(tmp_path / "results")}
    tasks = host(options)
    with (
        Everything(redis.connection_pool.connection_kwargs["port"]) as monitor,
        workers.start(options, tmp_path / "solo.log", "-P", "solo", "-n", "solo@%h") as solo,
        workers.start(options, tmp_path / "fork.log", "-P", "prefork", "-c", "2", "-n", "fork@%h") as fork,
    ):
        deployment = tasks.deploy_fleet(ACCOUNTS, (BOOKING, SURVEY))
        solo.ready(), fork.ready()
        results = deployment.results(timeout=30)
        output = solo.log + fork.log

    close(tasks)
    assert list(results) == list(ACCOUNTS)
    assert [result.error for found in results.values() for result in found] == [None] * 6
    assert [deployed(meta, account) for account in ACCOUNTS] == [AS_DESIRED] * 3
    assert {result.key for result in results[ACCOUNTS[0]]} == {"booking", "survey"}
    delivered = [json.loads(line) for line in Path(options["results"]).read_text().splitlines()]
    assert sorted((it["account"], it["key"]) for it in delivered) == [
        (account, key) for account in ACCOUNTS for key in ("booking", "survey")
    ]

    assert "again in" in output
    for account in ACCOUNTS:
        times = [it.at for it in meta.requests if TOKENS[account] in str(it.headers.get("Authorization"))]
        assert len(times) >= 4
        windows = [sum(1 for at in times if start <= at < start + 0.9) for start in times]
        assert max(windows) <= 4

    everything = "\n".join(monitor.commands)
    assert "whatsapp_flows.deploy_flow" in everything
    assert "celery-task-meta" in everything
    for token in TOKENS.values():
        assert token not in everything
        assert token not in output
        assert token not in repr((tasks, deployment, tasks.deploy_flow, results))


def test_a_killed_worker_loses_nothing(
    redis: Redis, meta: Emulator, options: dict[str, Any], workers: WorkerServer, tmp_path: Path, tasks: FlowsTasks
) -> None:
    """
    SIGKILL between Meta's work and its answer: another worker gets the message and adopts what is there.

    So it is for a create, and for an upload that has made a live flow a draft.
    """
    old = meta.add_flow("Booking", flow_json=json.dumps(valid_flow("OLD")), status="PUBLISHED", waba_id=ACCOUNTS[1])
    meta.fail("create_flow", delay=60.0, times=1)
    meta.fail("update_flow_json", delay=60.0, times=1)
    options = {**options, "guard_seconds": 1.0}
    with workers.start(options, tmp_path / "first.log", "-P", "prefork", "-c", "2") as first:
        deployment = tasks.deploy_fleet(ACCOUNTS[:2], (BOOKING,))
        eventually(lambda: meta.flows(ACCOUNTS[0]) and meta.flow(old.id).status == "DRAFT", "Meta has done its part")
        first.kill()
    assert meta.flow(old.id).status == "DRAFT"
    assert redis.zcard("unacked_index") == 2
    eventually(lambda: taken(redis) > 2.0, "the broker gives the messages up")
    with workers.start(options, tmp_path / "second.log", "-P", "solo"):
        results = collected(deployment)
    assert [result.error for result in results] == [None, None]
    for account in ACCOUNTS[:2]:
        assert deployed(meta, account) == AS_DESIRED[:1]
    assert [it.id for it in meta.flows(ACCOUNTS[1])] == [old.id]
    assert redis.zcard("unacked_index") == 0


def taken(redis: Redis) -> float:
    """Seconds since the last of the messages that a dead worker holds was taken."""
    found: Any = redis.zrange("unacked_index", 0, -1, withscores=True)
    return time.time() - float(max(score for _, score in found))


def test_a_killed_worker_process_loses_nothing(
    redis: Redis, meta: Emulator, options: dict[str, Any], workers: WorkerServer, tmp_path: Path
) -> None:
    """If a process of a pool is killed (out of memory), its parent returns the message at once."""
    meta.fail("create_flow", delay=60.0, times=1)
    options = {**options, "guard_seconds": 1.0, "visibility_timeout": 3600}
    tasks = host(options)
    with workers.start(options, tmp_path / "log", "-P", "prefork", "-c", "1") as worker:
        deployment = tasks.deploy_fleet(ACCOUNTS[:1], (BOOKING,))
        eventually(lambda: meta.flows(ACCOUNTS[0]), "Meta has done its part")
        for child in worker.children():
            os.kill(child, signal.SIGKILL)
        results = collected(deployment)
    close(tasks)
    assert [result.ok for result in results] == [True]
    assert deployed(meta, ACCOUNTS[0]) == AS_DESIRED[:1]


def test_without_a_result_backend_results_are_logged_and_passed_to_the_callback(
    meta: Emulator, options: dict[str, Any], workers: WorkerServer, tmp_path: Path
) -> None:
    """
    The failure of one flow does not affect the others, and while one waits for a minute, the only worker deploys the
    others.
    """
    meta.fail("list_flows", code=80008, headers={"Retry-After": "60"}, times=1)
    broken = DesiredFlow.from_flow_json("broken", {"version": "7.3", "screens": []}, name="Broken")
    options = {**options, "backend": False, "results": str(tmp_path / "results")}
    delivered = Path(options["results"])
    tasks = host(options)
    with workers.start(options, tmp_path / "log", "-P", "solo") as worker:
        tasks.deploy_fleet(ACCOUNTS[1:2], (BOOKING,))
        tasks.deploy_fleet(ACCOUNTS[:1], (BOOKING, broken))
        eventually(lambda: delivered.exists() and delivered.read_text().count("\n") == 2, "both are told")
        output = worker.log
    close(tasks)
    assert f"Flow booking of account {ACCOUNTS[1]} again in 60.0 s: " in output
    reported = {it["key"]: it for it in map(json.loads, delivered.read_text().splitlines())}
    assert reported["booking"]["error"] is None
    assert "error" in reported["broken"]["error"]
    assert f"Flow booking of account {ACCOUNTS[0]} is deployed: create" in output
    assert f"Flow broken of account {ACCOUNTS[0]} failed: " in output
    assert deployed(meta, ACCOUNTS[0]) == AS_DESIRED[:1]


# In this process: an eager task is done at once, and waits for nothing


def eager(tasks: FlowsTasks, account: str, flow: DesiredFlow, **more: Any) -> FlowDeployment:
    kept = tasks._state.put_flow(flow)
    return FlowDeployment.from_json(tasks.deploy_flow.apply((account, flow.key, kept), more).get())


def test_an_eager_task_runs_once(meta: Emulator, tasks: FlowsTasks) -> None:
    """It runs once; an error that would be retried later is reported as retryable."""
    done = eager(tasks, ACCOUNTS[0], BOOKING)
    (flow,) = meta.flows(ACCOUNTS[0])
    assert done == FlowDeployment(
        account=ACCOUNTS[0], key="booking", name="Booking", id=flow.id, action="create", status="PUBLISHED"
    )
    meta.fail("create_flow", code=2, times=1)
    failed = eager(tasks, ACCOUNTS[0], SURVEY, progress={"waits": 0, "since": 0.0, "not_before": 9e9, "delay": 0.0})
    assert (failed.ok, failed.retryable) == (False, True)
    assert eager(tasks, ACCOUNTS[0], SURVEY).ok


def test_an_unprocessed_upload_is_sent_again(meta: Emulator, tasks: FlowsTasks) -> None:
    """The next run uploads again, although the stored Flow JSON is the desired one."""
    meta.add_flow("Survey", flow_json=json.dumps(valid_flow("OLD")))
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=1)
    assert not eager(tasks, ACCOUNTS[0], SURVEY).ok
    second = eager(tasks, ACCOUNTS[0], SURVEY)
    assert (second.ok, second.action) == (True, "upload")
    assert eager(tasks, ACCOUNTS[0], SURVEY).action == "unchanged"


def test_a_live_flow_is_not_changed_without_budget_to_publish_it_again(
    redis: Redis, meta: Emulator, options: dict[str, Any]
) -> None:
    """A live flow is not changed unless the budget has room to publish it again."""
    live = meta.add_flow("Booking", flow_json=json.dumps(valid_flow("OLD")), status="PUBLISHED")
    tasks = host({**options, "rate": "3/hour"})
    waiting = eager(tasks, ACCOUNTS[0], BOOKING)
    assert (waiting.ok, waiting.retryable) == (False, True)
    assert "no room" in str(waiting.error)
    assert meta.flow(live.id).status == "PUBLISHED"
    close(tasks)
    redis.flushall()
    tasks = host({**options, "rate": "4/hour"})
    assert eager(tasks, ACCOUNTS[0], BOOKING).ok
    assert meta.flow(live.id).status == "PUBLISHED"
    close(tasks)


def test_the_later_deployment_wins(meta: Emulator, tasks: FlowsTasks) -> None:
    """A task of an earlier deployment that has waited does not change the flow."""
    newer = DesiredFlow.from_flow_json("booking", valid_flow("NEWER"), name="Booking", publish=True)
    tasks.deploy_fleet(ACCOUNTS[:1], (BOOKING,))
    tasks.deploy_fleet(ACCOUNTS[:1], (newer,))
    assert eager(tasks, ACCOUNTS[0], newer).ok
    assert "superseded" in str(eager(tasks, ACCOUNTS[0], BOOKING).error)
    (flow,) = meta.flows(ACCOUNTS[0])
    assert flow.document is not None
    assert digest_of(flow.document.content) == newer.digest
    tasks.deploy_fleet(ACCOUNTS[:1], (BOOKING,))
    assert eager(tasks, ACCOUNTS[0], BOOKING).ok
    tasks.deploy_fleet(ACCOUNTS[:1], ())


def test_a_rate_limit_pauses_the_account_for_all_workers(meta: Emulator, tasks: FlowsTasks) -> None:
    """After an error with `retry_after`, the account is paused for all workers; others are not."""
    meta.fail("list_flows", code=80008, headers={"Retry-After": "60"}, times=1)
    assert not eager(tasks, ACCOUNTS[0], BOOKING).ok
    sent = len(meta.requests)
    waiting = eager(tasks, ACCOUNTS[0], SURVEY)
    assert "no room for" in str(waiting.error)
    assert len(meta.requests) == sent
    assert eager(tasks, ACCOUNTS[1], SURVEY).ok


class TimeLimitError(Exception):
    """As Celery's `SoftTimeLimitExceeded`: raised by a signal handler, and derived from `Exception`."""


@contextmanager
def time_limit() -> Iterator[Callable[[], None]]:
    """Gives a function that is interrupted, as at a time limit."""

    def handler(signum: int, frame: object) -> None:
        raise TimeLimitError

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        yield lambda: signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs signals")
def test_a_time_limit_ends_the_hosts_functions(options: dict[str, Any]) -> None:
    """What a signal handler raises inside `client_for` or `on_result` is not an error of these functions."""
    with time_limit() as interrupted, Redis.from_url(options["redis"]) as redis, Celery("limited") as app:

        def client_for(account: str) -> FlowsClient:
            interrupted()
            raise AssertionError(account)

        tasks = FlowsTasks(app, client_for=client_for, redis=redis)
        with pytest.raises(TimeLimitError):
            eager(tasks, ACCOUNTS[0], BOOKING)
        done = FlowsTasks(
            app, client_for=lambda _: FlowsClient("token", ACCOUNTS[1]), redis=redis, name="done",
            on_result=lambda _: interrupted(),
        )  # fmt: skip
        with pytest.raises(TimeLimitError):
            eager(done, ACCOUNTS[0], BOOKING)


def test_a_message_is_not_lost_while_the_broker_is_unavailable(options: dict[str, Any]) -> None:
    """A run that cannot be queued again is not lost: its message is returned to the broker, or not acknowledged."""
    with (
        Redis.from_url(options["redis"]) as redis,
        Celery("away", broker=f"amqp://127.0.0.1:{free_port()}") as app,
    ):
        app.conf.update(task_publish_retry=False, broker_transport_options={"max_retries": 1, "interval_start": 0})
        tasks = FlowsTasks(app, client_for=lambda account: FlowsClient("token", account), redis=redis)
        later = {"waits": 0, "since": time.time(), "not_before": time.time() + 60, "delay": 60.0}
        tasks.deploy_flow.push_request(id="1", is_eager=False, retries=0, called_directly=False)
        try:
            with pytest.raises(Reject) as given_back:
                tasks.deploy_flow.run(ACCOUNTS[0], "booking", "digest", later)
        finally:
            tasks.deploy_flow.pop_request()
    assert given_back.value.args[1] is True  # requeue


def test_an_unexpected_exception_of_a_task_is_reported_by_its_type(tasks: FlowsTasks) -> None:
    """The other results are not affected."""
    mistaken: Any = tasks.deploy_flow.apply((ACCOUNTS[0], "booking", "digest", {"unknown": 1}))
    (result,) = collected(FleetDeployment(tasks={ACCOUNTS[0]: {"booking": mistaken}}))
    assert result == FlowDeployment(account=ACCOUNTS[0], key="booking", name="booking", error="TypeError")


@pytest.mark.parametrize(
    ("fault", "retryable"),
    [(KeyError("secret"), False), (OSError("secret"), True), (ConfigurationError("told"), False)],
    ids=lambda value: type(value).__name__,
)
def test_the_text_of_an_exception_of_client_for_is_not_reported(
    options: dict[str, Any], fault: Exception, retryable: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Its text is not reported; its type decides whether it is retryable."""

    def client_for(account: str) -> FlowsClient:
        raise fault

    with Redis.from_url(options["redis"]) as redis, Celery("eager", broker=options["redis"]) as app:
        tasks = FlowsTasks(app, client_for=client_for, redis=redis)
        failed = eager(tasks, ACCOUNTS[0], BOOKING)
    assert (failed.ok, failed.retryable) == (False, retryable)
    assert ("secret" in caplog.text + str(failed)) is False
    assert ("told" in str(failed.error)) is isinstance(fault, ConfigurationError)


def test_a_client_of_another_account_is_refused(meta: Emulator, options: dict[str, Any]) -> None:
    """An error of the host's function must not deploy to another account."""
    with Redis.from_url(options["redis"]) as redis, Celery("eager", broker=options["redis"]) as app:
        tasks = FlowsTasks(app, client_for=lambda account: FlowsClient("token", ACCOUNTS[1]), redis=redis)
        assert "another account" in str(eager(tasks, ACCOUNTS[0], BOOKING).error)
    assert meta.requests == ()


def test_a_callback_that_raises_is_logged(
    meta: Emulator, options: dict[str, Any], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """The flow is deployed."""
    tasks = host({**options, "results": str(tmp_path / "no" / "folder")})
    with caplog.at_level(logging.INFO, logger="whatsapp_flows"):
        assert eager(tasks, ACCOUNTS[0], BOOKING).ok
    close(tasks)
    assert "on_result failed for flow booking" in caplog.text
    facts = next(record for record in caplog.records if "is deployed" in record.getMessage())
    assert (facts.__dict__["flow_key"], facts.__dict__["flow_account"]) == ("booking", ACCOUNTS[0])


def test_invalid_arguments_queue_nothing(options: dict[str, Any], tasks: FlowsTasks) -> None:
    """Two flows of one name and invalid options raise before anything is queued."""
    with pytest.raises(ConfigurationError, match="two flows"):
        tasks.deploy_fleet(ACCOUNTS, (BOOKING, BOOKING))
    assert tasks.deploy_fleet((), (BOOKING,)).results() == {}
    for mistaken in ({"max_attempts": 0}, {"max_attempts": True}, {"rate": "often"}, {"client_for": "token"}):
        with pytest.raises(ConfigurationError):
            FlowsTasks(**{"app": Celery(), "client_for": FlowsClient, "redis": Redis(), **mistaken})  # type: ignore[arg-type]


def test_the_task_is_set_up_to_survive(tasks: FlowsTasks) -> None:
    """Late acknowledgement, redelivery when a process is lost, JSON only, no retry limit of Celery."""
    task = tasks.deploy_flow
    assert (task.acks_late, task.reject_on_worker_lost, task.serializer, task.max_retries) == (True, True, "json", None)
    assert tasks.deploy_flow.app.conf.worker_prefetch_multiplier == SETTINGS["worker_prefetch_multiplier"] == 1
    assert tasks.deploy_flow.app.conf.accept_content == ["json"]
    assert repr(tasks) == "FlowsTasks(name='whatsapp_flows.deploy_flow')"


NEWER = DesiredFlow.from_flow_json("booking", valid_flow("SECOND"), name="Booking", publish=True)


def published(meta: Emulator) -> list[tuple[str, bool]]:
    """The state of the first account's flow, and whether it is the first version."""
    return [(status, first) for _, status, first in deployed(meta, ACCOUNTS[0])]


def test_a_live_flow_is_restored_after_a_failed_change(meta: Emulator, tasks: FlowsTasks, redis: Redis) -> None:
    """If Meta rejects the publishing of a change, the previous version is restored and removed from Redis."""
    assert eager(tasks, ACCOUNTS[0], BOOKING).ok
    meta.fail("publish_flow", code=139002, times=1)
    failed = eager(tasks, ACCOUNTS[0], NEWER)
    assert "139002" in str(failed.error)
    assert published(meta) == [("PUBLISHED", True)]
    assert redis.keys("*:old:*") == []


def test_the_next_worker_restores_what_a_killed_one_left(meta: Emulator, tasks: FlowsTasks, redis: Redis) -> None:
    """
    Every request after the upload fails: the flow is a draft with a version that cannot be published. The next run
    reads the live version from Redis, and restores it.
    """
    assert eager(tasks, ACCOUNTS[0], BOOKING).ok
    meta.fail("publish_flow", code=139002)
    meta.fail("update_flow_json", code=1, every=2)  # the second, which would put the old version back
    assert not eager(tasks, ACCOUNTS[0], NEWER).ok
    assert published(meta) == [("DRAFT", False)]
    assert len(redis.keys("*:old:*")) == 1
    meta.clear_faults()
    meta.fail("publish_flow", code=139002, times=1)
    assert not eager(tasks, ACCOUNTS[0], NEWER).ok
    assert published(meta) == [("PUBLISHED", True)]
    assert redis.keys("*:old:*") == []


def test_a_restoration_may_exceed_the_budget(meta: Emulator, options: dict[str, Any]) -> None:
    """Requests that restore a live flow may exceed the budget; a new change does not start."""
    tasks = host({**options, "rate": "11/hour"})
    assert eager(tasks, ACCOUNTS[0], BOOKING).ok
    meta.fail("publish_flow", code=139002, times=1)
    assert not eager(tasks, ACCOUNTS[0], NEWER).ok
    assert published(meta) == [("PUBLISHED", True)]
    assert "no room for" in str(eager(tasks, ACCOUNTS[0], NEWER).error)
    close(tasks)


def test_an_unavailable_token_is_retryable(meta: Emulator, options: dict[str, Any]) -> None:
    """Another run may get it; the text of the error, which may contain the token, is in no result."""

    def vault() -> str:
        raise OSError(f"no {TOKENS[ACCOUNTS[0]]}")

    def client_for(account: str) -> FlowsClient:
        return FlowsClient(vault, account, base_url=options["meta"])

    with Redis.from_url(options["redis"]) as redis, Celery("eager", broker=options["redis"]) as app:
        tasks = FlowsTasks(app, client_for=client_for, redis=redis)
        failed = eager(tasks, ACCOUNTS[0], BOOKING)
    assert (failed.ok, failed.retryable) == (False, True)
    assert "OSError" in str(failed.error)
    assert TOKENS[ACCOUNTS[0]] not in str(failed)
    assert meta.requests == ()
