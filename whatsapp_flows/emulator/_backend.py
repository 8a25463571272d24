"""
From a request to a response: the pure state machine, given a clock, a lock and, on request, a database.

One request at a time changes the world. Only the delays of faults, and endpoints that are being checked, are waited for
outside the lock.
"""

from __future__ import annotations

import hashlib
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Final

from .._server import HttpRequest, HttpResponse, cross_site_refusal
from ._control import CONTROL_PATH, NO_TRACE_ID, control
from ._endpoint_checks import EndpointChecker
from ._faults import FaultList, FaultRule
from ._storage import Storage
from ._wire import IncomingRequest, MaskedMapping, RecordedRequest, RequestLog, parse_request
from .graph import (
    BATCH,
    BatchRequest,
    BatchResult,
    GraphCall,
    GraphResponse,
    Problem,
    QuotaCounter,
    QuotaUsage,
    Settings,
    Target,
    World,
    error_body,
    error_response,
    graph_error,
    handle,
    is_version,
    json_response,
    pending_checks,
    resolve_target,
    run_batch,
    takes_no_credentials,
    usage_headers,
)

_NO_FAULT: Final = FaultRule(delay=0.0)
_PUBLISHING: Final = frozenset({"create_flow", "publish_flow"})
_CREDENTIALS: Final = frozenset({"access_token", "appsecret_proof", "appsecret_time"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    """How a request is answered. Without a response, its connection is reset."""

    response: GraphResponse | None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    truncate: int | None = None


class Backend:
    """The mutable part of the emulator: the world, the faults, and the recorded requests."""

    def __init__(
        self,
        *,
        world: World,
        settings: Settings,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        chance: Callable[[], float],
        quota: QuotaCounter | None,
        keep_requests: int,
        keep_bytes: int,
        hosts: Collection[str] = (),
        on_request: Callable[[RecordedRequest], object] | None = None,
        endpoints: EndpointChecker | None = None,
        on_change: Callable[[World, World], object] | None = None,
    ) -> None:
        self.lock: Final = threading.RLock()
        self.settings = settings
        self.storage: Storage | None = None
        self.faults: Final = FaultList()
        self.requests: Final = RequestLog(max_count=keep_requests, max_bytes=keep_bytes)
        self.leaks: Final = RequestLog(max_count=keep_requests, max_bytes=keep_bytes)
        self.forced_usage: QuotaUsage | None = None
        self._world = world
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._quota = quota
        self._hosts = frozenset(host.lower() for host in hosts)
        self._on_request = on_request
        self._endpoints = endpoints
        self._on_change = on_change
        self._count = 0

    @property
    def world(self) -> World:
        """The current world."""
        return self._world

    def change(self, change: Callable[[World], World]) -> None:
        """Replace the world; it is saved before anybody can see it. `on_change` gets the old one and the new one."""
        with self.lock:
            before, world = self._world, change(self._world)
            if self.storage is not None:
                self.storage.save(before, world)
            self._world = world
            if self._on_change is not None:
                self._on_change(before, world)

    def open(self, storage: Storage, complete: Callable[[World], World]) -> None:
        """Load the world from a database; `complete` adds what it lacks."""
        with self.lock:
            self._world, self.storage = storage.load(), storage
            self.change(complete)

    def close(self) -> None:
        """Close the database."""
        with self.lock:
            storage, self.storage = self.storage, None
            if storage is not None:
                storage.close()

    def handle(self, received: HttpRequest) -> HttpResponse:
        """The response to a request, as the server's handler."""
        return self.respond(parse_request(received))

    def respond(self, request: IncomingRequest) -> HttpResponse:
        """
        The response to a parsed request.

        A delay comes after the work: a request has taken effect even if its client stops waiting.
        """
        recorded: list[RecordedRequest] = []
        with self.lock:
            decision = self._screen(request, recorded.append)
            for each in recorded:
                self.requests.add(each)
                if takes_no_credentials(each.path) and request.carries_credentials:
                    self.leaks.add(each)
        if self._on_request is not None:
            for each in recorded:
                self._on_request(each)
        if decision.delay:
            self._sleep(decision.delay)
        response = decision.response
        if response is None:
            return HttpResponse(reset=True)
        # The Date header follows the emulator's clock, as `updated_at` does.
        date = {"Date": formatdate(recorded[-1].at, usegmt=True)} if recorded else {}
        headers = {"Content-Type": response.content_type, **date, **decision.headers}
        return HttpResponse(status=response.status, headers=headers, body=response.body, truncate=decision.truncate)

    def _screen(self, request: IncomingRequest, record: Callable[[RecordedRequest], object]) -> _Decision:
        """Refuse cross-site requests of browsers, pass requests to the control API on; the rest goes to Graph."""
        reason = cross_site_refusal(request.method, request.headers, self._hosts)
        if reason is None and request.path.startswith(CONTROL_PATH):
            return _Decision(response=control(request, self.faults, self.requests))
        if reason is None:
            return self._decide(request, record)
        call = self._call(request)
        response = error_response(graph_error(Problem.ACCESS_DENIED, f"(#200) {reason}"), call.trace_id)
        record(self._recorded(request, None, response.status, call.now))
        return _Decision(response=response)

    def _decide(
        self, request: IncomingRequest, record: Callable[[RecordedRequest], object], *, in_batch: bool = False
    ) -> _Decision:
        """The decision on a request to Graph; batches do not nest (`in_batch`)."""
        call = self._call(request)
        target = resolve_target(self._world, call)
        rule = self.faults.first_match(target.operation, target.subject_id, self._chance) or _NO_FAULT
        delay = rule.delay or 0.0
        if target.operation == BATCH and not in_batch and rule.executes_request(BATCH):
            usage = self.forced_usage
            response, more = self._batch(request, call, target, rule, record)
            delay += more
        else:
            response, usage = self._execute(call, target, rule)
            record(self._recorded(request, target.operation, response.status if response else None, call.now))
        headers = {"x-fb-trace-id": call.trace_id}
        if target.version is not None:
            headers["facebook-api-version"] = target.version
        if usage is not None:
            headers.update(usage_headers(self._world.account_of(target.node_id), usage))
        headers.update(rule.headers)
        return _Decision(response=response, headers=headers, delay=delay, truncate=rule.truncate)

    def _batch(
        self,
        request: IncomingRequest,
        call: GraphCall,
        target: Target,
        rule: FaultRule,
        record: Callable[[RecordedRequest], object],
    ) -> tuple[GraphResponse | None, float]:
        """The response to a batch, and the sum of its operations' delays. Each is recorded after the batch."""
        operations: list[RecordedRequest] = []
        delays: list[float] = []

        def run(operation: BatchRequest) -> BatchResult:
            decision = self._decide(_as_request(request, target, operation), operations.append, in_batch=True)
            delays.append(decision.delay)
            return BatchResult(response=_truncated(decision), headers=decision.headers)

        result = run_batch(call, run)
        response = None if rule.reset else rule.response(call.trace_id) or result
        record(self._recorded(request, BATCH, response.status if response else None, call.now))
        for each in operations:
            record(each)
        return response, sum(delays)

    def _call(self, request: IncomingRequest) -> GraphCall:
        self._count += 1
        digest = hashlib.sha256(f"{self.settings.seed}|{self._count}".encode()).digest()
        return GraphCall(
            method=request.effective_method,
            path=request.path,
            now=self._clock(),
            trace_id="A" + urlsafe_b64encode(digest)[:22].decode(),
            settings=self.settings,
            query=request.query,
            parameters=request.parameters,
            files=request.files,
            token=request.token,
            carries_credentials=request.carries_credentials,
            unreadable=request.unreadable,
        )

    def _execute(
        self, call: GraphCall, target: Target, rule: FaultRule
    ) -> tuple[GraphResponse | None, QuotaUsage | None]:
        """The response (None: reset the connection), and the usage that its headers report."""
        usage = self.forced_usage
        if not rule.executes_request(target.operation):
            return rule.response(call.trace_id), usage

        def admit(account_id: str) -> None:
            nonlocal usage
            if self._quota is None:
                return
            counted = self._quota.count(account_id, call.now)
            usage = usage or counted
            if counted.minutes:
                raise graph_error(Problem.MANAGEMENT_LIMIT)

        if target.operation in _PUBLISHING and self._endpoints is not None:
            self._check_endpoints(call, target, self._endpoints)
        world, response = handle(self._world, call, target, admit)
        self.change(lambda _: world)
        if rule.reset is not None:
            return None, usage
        # An error of the request itself takes precedence over a fault that happens on the way back.
        fault = rule.response(call.trace_id) if response.status < 400 else None
        return fault or response, usage

    def _check_endpoints(self, call: GraphCall, target: Target, endpoints: EndpointChecker) -> None:
        """
        Check the endpoints of the Flows that a call would publish, if they were healthy.

        Without the lock: an endpoint that is asked may itself call the emulator, from another thread.
        """
        healthy = replace(self._world, failed_endpoints=frozenset())
        published, _ = handle(healthy, call, target)
        for pending in filter(endpoints.wants, pending_checks(healthy, published)):
            self.lock.release()
            try:
                passed = endpoints.check(pending)
            finally:
                self.lock.acquire()
            uri = pending.uri
            self.change(lambda world, uri=uri, passed=passed: world.with_checked_endpoint(uri, passed))  # type: ignore[misc]

    @staticmethod
    def _recorded(request: IncomingRequest, operation: str | None, status: int | None, now: float) -> RecordedRequest:
        return RecordedRequest(
            operation=operation,
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            form=request.form,
            files=request.files,
            body=request.body,
            status=status,
            at=now,
        )


def http_error(status: int, message: str) -> HttpResponse:
    """The response to a request that could not be read (400), or that the emulator failed to answer (500)."""
    problem, text = (Problem.UNKNOWN, message) if status >= 500 else (Problem.INVALID_PARAMETER, f"(#100) {message}")
    response = json_response(error_body(replace(problem.value, message=text), NO_TRACE_ID), status)
    return HttpResponse(status=status, headers={"Content-Type": response.content_type}, body=response.body)


def _as_request(batch: IncomingRequest, target: Target, operation: BatchRequest) -> IncomingRequest:
    """One operation of a batch as a request; it has the batch's credentials unless it brings its own token."""
    own_token = "access_token" in operation.query or "access_token" in operation.form
    shared = {} if own_token else {name: value for name, value in batch.parameters.items() if name in _CREDENTIALS}
    authorization = {} if own_token else {k: v for k, v in batch.headers.items() if k == "Authorization"}
    versioned = is_version(operation.path.split("/")[1])
    return IncomingRequest(
        method=operation.method,
        path=operation.path if versioned else f"/{target.version}{operation.path}",
        query=MaskedMapping(operation.query),
        headers=MaskedMapping(authorization),
        form=MaskedMapping(operation.form),
        files=operation.files,
        parameters={**shared, **operation.query, **operation.form},
    )


def _truncated(decision: _Decision) -> GraphResponse | None:
    """The response to one operation of a batch, with a fault's truncation applied."""
    response = decision.response
    if response is None or decision.truncate is None:
        return response
    return GraphResponse(
        status=response.status, body=response.body[: decision.truncate], content_type=response.content_type
    )
