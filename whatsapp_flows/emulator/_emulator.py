"""
What tests and demos hold in their hands: the emulator, its faults, and the part that Meta plays.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Final, TypeVar

from ._access import CallLog, Usage
from ._backend import Backend
from ._call import Settings
from ._documents import read_document
from ._faults import Fault, FaultRule, Reset
from ._metrics import METRIC_KEYS
from ._node import is_id
from ._server import Server
from ._state import (
    DEFAULT_APP_ID,
    DEFAULT_BUSINESS_ID,
    DEFAULT_PHONE_NUMBER_ID,
    DEFAULT_WABA_ID,
    STATUSES,
    Account,
    FlowRecord,
    MetricPoint,
    PhoneNumber,
    World,
    default_world,
)
from ._storage import Storage
from ._wire import RecordedRequest

Node = TypeVar("Node")

# The other name of each loopback address: what a download link uses, so that it is another host for the client.
# `localhost` may stand for ::1 first; nothing listens there, so a client goes on to 127.0.0.1 at once.
_OTHER_NAME: Final[Mapping[str, str]] = {"127.0.0.1": "localhost", "localhost": "127.0.0.1", "::1": "localhost"}
_ANY_ADDRESS: Final[Mapping[str, str]] = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


class Emulator:
    """
    Meta's Flows management API on this machine.

    The world starts with one account that has one verified phone number, no public key
    and no webhook subscription. It lives in memory, or in the SQLite file `database`.
    """

    def __init__(
        self,
        *,
        tokens: Collection[str] | None = None,
        app_secret: str | None = None,
        waba_id: str = DEFAULT_WABA_ID,
        phone_number_ids: Collection[str] = (DEFAULT_PHONE_NUMBER_ID,),
        database: str | os.PathLike[str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        cdn_host: str | None = None,
        page_size: int = 25,
        calls_per_hour: int | None = None,
        download_lifetime: float = 300.0,
        keep_requests: int = 10_000,
        keep_bytes: int = 256 * 1024 * 1024,
        allowed_hosts: Collection[str] = (),
        on_request: Callable[[RecordedRequest], object] | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] | None = None,
        seed: int = 0,
    ) -> None:
        """
        Set it up; nothing listens before `start`.

        With `tokens`, no other is accepted; without, any is. With `app_secret`, every call
        needs an appsecret_proof. `cdn_host` is the host name of download links.
        `keep_requests` and `keep_bytes` bound what is remembered of requests. A request for a
        host name that is neither this machine's nor in `allowed_hosts` is refused; an address
        is always answered. `on_request` is called with each request, on the thread that
        answers it. `sleep` makes the delays of faults. Durations are seconds.
        """
        if any(isinstance(given, str) for given in (tokens, phone_number_ids, allowed_hosts)):
            # ValueError, like every mistake in the arguments.
            raise ValueError("tokens, phone_number_ids and allowed_hosts are collections of strings, not one string")
        if page_size < 1 or (calls_per_hour is not None and calls_per_hour < 1):
            raise ValueError("page_size and calls_per_hour must be at least 1")
        for node_id in (waba_id, *phone_number_ids):
            _check_id(node_id)
        self._waba_id = waba_id
        self._phone_number_ids = tuple(phone_number_ids)
        self._database = database
        self._host, self._port = host, port
        self._cdn_host = cdn_host or _OTHER_NAME.get(host, _ANY_ADDRESS.get(host, host))
        self._clock = clock
        self._closing = threading.Event()
        self._server: Server | None = None
        settings = Settings(
            base_url="",
            cdn_url="",
            app_id=DEFAULT_APP_ID,
            page_size=page_size,
            seed=seed,
            download_lifetime=download_lifetime,
            tokens=None if tokens is None else frozenset(tokens),
            app_secret=app_secret,
        )
        self._backend = Backend(
            world=default_world(waba_id, self._phone_number_ids),
            settings=settings,
            clock=clock,
            sleep=sleep or self._closing.wait,
            chance=random.Random(seed).random,  # noqa: S311  chance of a fault, not a secret
            calls=CallLog(calls_per_hour) if calls_per_hour else None,
            keep_requests=keep_requests,
            keep_bytes=keep_bytes,
            hosts={host, self._cdn_host, *allowed_hosts},
            on_request=on_request,
        )

    # Being there, and being gone

    def start(self) -> Emulator:
        """
        Listen; a second call does nothing.

        After `close` it listens on the same port again, with the same world: an outage.
        OSError when the port is taken, ValueError when the database cannot be used.
        """
        if self._server is not None:
            return self
        self._closing.clear()
        with contextlib.ExitStack() as undo:
            if self._database is not None:
                storage = Storage(self._database)
                undo.callback(storage.close)
                undo.callback(self._backend.close)
                self._backend.open(storage, self._completed)
            self._server = Server(self._backend.reply, host=self._host, port=self._port)
            undo.pop_all()
        self._port = self._server.port
        address = _ANY_ADDRESS.get(self._host, self._host)
        self._backend.settings = replace(
            self._backend.settings, base_url=_url(address, self._port), cdn_url=_url(self._cdn_host, self._port)
        )
        self._server.start()
        return self

    def _completed(self, world: World) -> World:
        """A world from a file, with the first account and the phone numbers added that are new to it."""
        if self._waba_id not in world.accounts:
            world = world.with_account(Account(id=self._waba_id))
        for number_id in self._phone_number_ids:
            if number_id not in world.phone_numbers:
                world = world.with_phone_number(PhoneNumber(id=number_id, waba_id=self._waba_id))
        return world

    def close(self) -> None:
        """Stop listening, end every connection, let go of the database; a second call does nothing."""
        server, self._server = self._server, None
        if server is None:
            return
        self._closing.set()
        server.close()
        self._backend.close()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where it listens: the client's `base_url`."""
        if not self._backend.settings.base_url:
            raise RuntimeError("the emulator has no address before it is started")
        return self._backend.settings.base_url

    @property
    def waba_id(self) -> str:
        """The id of the first account."""
        return self._waba_id

    @property
    def phone_number_id(self) -> str:
        """The id of the first phone number; LookupError when there is none."""
        if not self._phone_number_ids:
            raise LookupError("this emulator was given no phone number")
        return self._phone_number_ids[0]

    # What arrived

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """What arrived, in order; the last `keep_requests` of it."""
        with self._backend.lock:
            return tuple(self._backend.requests)

    @property
    def leaks(self) -> tuple[RecordedRequest, ...]:
        """The downloads that brought a token along: a client never sends one to the host of the files."""
        with self._backend.lock:
            return tuple(self._backend.leaks)

    def clear_requests(self) -> None:
        """Forget what arrived."""
        with self._backend.lock:
            self._backend.requests.clear()
            self._backend.leaks.clear()

    # What goes wrong

    def fail(
        self,
        operation: str | None = None,
        *,
        code: int | None = None,
        subcode: int | None = None,
        message: str | None = None,
        is_transient: bool | None = None,
        status: int | None = None,
        body: bytes | str | Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        delay: float | None = None,
        reset: Reset | None = None,
        truncate: int | None = None,
        times: int | None = None,
        every: int | None = None,
        probability: float | None = None,
        flow_id: str | None = None,
    ) -> Fault:
        """
        Make requests fail: those of one operation (named as the client's method) or all, of one Flow or all.

        How: an error by `code` and `subcode`; any `status` and `body`; more `headers`; a
        `delay` in seconds before the answer; a connection `reset` "before" or "after" the
        work is done; a body that ends after `truncate` bytes. When: the next `times`, every
        Nth, or with a `probability`; without these, always. An error does no work, except
        that a Flow JSON is saved when its upload fails with 139001/4016012.
        ValueError when the arguments contradict each other.
        """
        rule = FaultRule(
            operation=operation,
            flow_id=flow_id,
            code=code,
            subcode=subcode,
            message=message,
            is_transient=is_transient,
            status=status,
            body=body,
            headers=dict(headers or {}),
            delay=delay,
            reset=reset,
            truncate=truncate,
            times=times,
            every=every,
            probability=probability,
        )
        return self.add_fault(rule)

    def add_fault(self, rule: FaultRule) -> Fault:
        """Make requests fail by a rule that was made before. ValueError when there are too many already."""
        fault = Fault(rule)
        with self._backend.lock:
            self._backend.faults.add(fault)
        return fault

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults that were added and not cancelled, in the order in which they are asked."""
        with self._backend.lock:
            return tuple(fault for _, fault in self._backend.faults)

    def clear_faults(self) -> None:
        """Let everything go well again."""
        with self._backend.lock:
            self._backend.faults.clear()

    def set_usage(self, percent: int | None, minutes: int = 0) -> None:
        """What the rate-limit headers say from now on; None leaves them to the quota, if there is one."""
        with self._backend.lock:
            self._backend.forced_usage = None if percent is None else Usage(percent, minutes)

    # Meta's side

    def flows(self, waba_id: str | None = None) -> tuple[FlowRecord, ...]:
        """The Flows of an account, or all; oldest first."""
        flows = self._backend.world.flows.values()
        return tuple(flow for flow in flows if waba_id in (None, flow.waba_id))

    def flow(self, flow_id: str) -> FlowRecord:
        """One Flow; LookupError when there is none."""
        return _existing(self._backend.world.flows, flow_id)

    def add_account(self, waba_id: str, *, business_id: str = DEFAULT_BUSINESS_ID) -> None:
        """
        Another account, without phone numbers; flows migrate between accounts of one business.

        Of one that is there already (in the `database`), only the business changes.
        """
        _check_id(waba_id)
        _check_id(business_id)

        def changed(world: World) -> World:
            account = world.accounts.get(waba_id) or Account(id=waba_id)
            return world.with_account(replace(account, business_id=business_id))

        self._change(changed)

    def add_phone_number(self, phone_number_id: str, *, waba_id: str | None = None, verified: bool = True) -> None:
        """Connect a phone number to an account; one that is there already keeps its key."""
        _check_id(phone_number_id)

        def changed(world: World) -> World:
            account = _existing(world.accounts, waba_id or self._waba_id)
            number = world.phone_numbers.get(phone_number_id) or PhoneNumber(id=phone_number_id, waba_id=account.id)
            return world.with_phone_number(replace(number, waba_id=account.id, verified=verified))

        self._change(changed)

    def add_flow(
        self,
        name: str,
        *,
        categories: Iterable[str] = ("OTHER",),
        flow_json: bytes | str | None = None,
        status: str = "DRAFT",
        endpoint_uri: str | None = None,
        waba_id: str | None = None,
    ) -> FlowRecord:
        """
        A Flow that was there before the test began.

        Nothing about it is refused but its name and status; its Flow JSON is checked as in an upload.
        """
        content = flow_json.encode() if isinstance(flow_json, str) else flow_json
        account = _existing(self._backend.world.accounts, waba_id or self._waba_id)
        _check_status(status)
        now = self._clock()
        with self._backend.lock:
            if self._backend.world.flow_named(account.id, name) is not None:
                raise ValueError(f"the account has a Flow named {name!r} already")
            world, flow_id = self._backend.world.new_flow_id()
            flow = FlowRecord(
                id=flow_id,
                waba_id=account.id,
                name=name,
                categories=tuple(categories),
                status=status,
                endpoint_uri=endpoint_uri,
                document=None if content is None else read_document(content, now),
                updated_at=now,
            )
            self._change(lambda _: world.with_flow(flow))
        return flow

    def set_status(self, flow_id: str, status: str) -> None:
        """Throttle, block, deprecate or restore a Flow, as Meta does."""
        _check_status(status)
        self._change_flow(flow_id, lambda flow: replace(flow, status=status, updated_at=self._clock()))

    def lock(self, flow_id: str) -> None:
        """Make it one of the old Flows that cannot be edited: every edit answers 139001/4016010."""
        self._change_flow(flow_id, lambda flow: replace(flow, locked=True))

    def set_application(self, flow_id: str, application_id: str | None) -> None:
        """Connect an app to a Flow, or none."""
        self._change_flow(flow_id, lambda flow: replace(flow, application_id=application_id))

    def set_endpoint_available(self, available: bool, *, endpoint_uri: str | None = None) -> None:
        """Whether an endpoint answers Meta's health check; without a URI, every endpoint."""
        uri = endpoint_uri or "*"

        def changed(world: World) -> World:
            dead = world.dead_endpoints - {uri} if available else world.dead_endpoints | {uri}
            return replace(world, dead_endpoints=frozenset() if available and uri == "*" else dead)

        self._change(changed)

    def add_metric(self, flow_id: str, metric: str, data: Mapping[str, float], *, at: float | None = None) -> None:
        """Record what a Flow's endpoint did, at a time in Unix seconds (now)."""
        if metric not in METRIC_KEYS or not data or not data.keys() <= METRIC_KEYS[metric]:
            raise ValueError(f"not a metric with its keys: {metric!r}, {sorted(data)}")
        point = MetricPoint(metric=metric, at=self._clock() if at is None else at, data=tuple(data.items()))
        self._change_flow(flow_id, lambda flow: replace(flow, metrics=(*flow.metrics, point)))

    def _change_flow(self, flow_id: str, change: Callable[[FlowRecord], FlowRecord]) -> None:
        self._change(lambda world: world.with_flow(change(_existing(world.flows, flow_id))))

    def _change(self, change: Callable[[World], World]) -> None:
        if self._server is None:
            raise RuntimeError("the emulator is not running: its world cannot be changed")
        self._backend.change(change)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _existing(nodes: Mapping[str, Node], node_id: str) -> Node:
    node = nodes.get(node_id)
    if node is None:
        raise LookupError(f"there is nothing with the id {node_id!r}")
    return node


def _check_id(node_id: str) -> None:
    if not is_id(node_id):
        raise ValueError(f"an id is a string of digits, not {node_id!r}")


def _check_status(status: str) -> None:
    if status not in STATUSES:
        raise ValueError(f"status must be one of {', '.join(sorted(STATUSES))}, not {status!r}")
