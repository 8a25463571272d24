"""
The `Emulator`: what tests and demos start, inject faults into, and inspect.
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
from typing import Final

from .._server import Server
from . import _admin
from ._backend import Backend, http_error
from ._endpoint_checks import EndpointCheck, EndpointChecker, EndpointChecks
from ._faults import Fault, FaultRule, Reset
from ._messaging import Messaging
from ._storage import Storage
from ._subscriptions import Subscriptions
from ._uploads import Uploads
from ._webhooks import WebhookSender
from ._wire import RecordedRequest
from .graph import (
    DEFAULT_APP_ID,
    DEFAULT_BUSINESS_ID,
    DEFAULT_PHONE_NUMBER_ID,
    DEFAULT_WABA_ID,
    FlowRecord,
    QuotaCounter,
    QuotaUsage,
    Settings,
    World,
    default_world,
    with_missing,
)

# The other name of each loopback address. Download links use it, so that their host differs from the API's.
# `localhost` may resolve to ::1 first; nothing listens there, and clients then connect to 127.0.0.1 at once.
_OTHER_NAME: Final[Mapping[str, str]] = {"127.0.0.1": "localhost", "localhost": "127.0.0.1", "::1": "localhost"}
_LOCAL_ENDPOINTS: Final = EndpointChecks()
_ANY_ADDRESS: Final[Mapping[str, str]] = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


class Emulator(Messaging, Subscriptions, Uploads):
    """
    Meta's Flows management API on this machine. Nothing listens before `start`.

    The world starts with one account that has one verified phone number, no public key
    and no webhook subscription. It lives in memory, or in the SQLite file `database`.

    With `tokens`, only these are accepted; without, any token is. With `app_secret`, every call
    needs an appsecret_proof, and what the emulator sends is signed with it. Before a Flow is
    published, its endpoint gets a real ping, by default if it is on this machine
    (`endpoint_checks`; None: never). `cdn_host` is the host name of download links.
    `keep_requests` and `keep_bytes` bound the recorded requests. A request for a host name
    that is neither this machine's nor in `allowed_hosts` is refused; IP addresses are always
    accepted. `on_request` is called with each request, on the thread that responds to it.
    `sleep` waits for the delays of faults. Durations are in seconds.
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
        endpoint_checks: EndpointChecks | None = _LOCAL_ENDPOINTS,
        allowed_hosts: Collection[str] = (),
        on_request: Callable[[RecordedRequest], object] | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] | None = None,
        seed: int = 0,
    ) -> None:
        _check_collections(tokens, phone_number_ids, allowed_hosts)
        if page_size < 1 or (calls_per_hour is not None and calls_per_hour < 1):
            raise ValueError("page_size and calls_per_hour must be at least 1")
        for node_id in (waba_id, *phone_number_ids):
            _admin.check_id(node_id)
        self._waba_id = waba_id
        self._phone_number_ids = tuple(phone_number_ids)
        self._database = database
        self._host, self._port = host, port
        self._cdn_host = cdn_host or _OTHER_NAME.get(host, _ANY_ADDRESS.get(host, host))
        self._clock = clock
        self._closing = threading.Event()
        self._server: Server | None = None
        self._sender = WebhookSender()
        self._endpoints = EndpointChecker(endpoint_checks, app_secret, sleep or self._closing.wait)
        self._backend = Backend(
            world=default_world(waba_id, self._phone_number_ids),
            settings=Settings(
                app_id=DEFAULT_APP_ID,
                page_size=page_size,
                seed=seed,
                download_lifetime=download_lifetime,
                tokens=None if tokens is None else frozenset(tokens),
                app_secret=app_secret,
            ),
            clock=clock,
            sleep=sleep or self._closing.wait,
            chance=random.Random(seed).random,  # noqa: S311  decides on faults, not a secret
            quota=QuotaCounter(calls_per_hour) if calls_per_hour else None,
            keep_requests=keep_requests,
            keep_bytes=keep_bytes,
            hosts={host, self._cdn_host, *allowed_hosts},
            on_request=on_request,
            endpoints=self._endpoints,
            on_change=self._status_changed,
        )

    # Lifecycle

    def start(self) -> Emulator:
        """
        Listen; a second call does nothing.

        After `close` it listens on the same port again, with the same world, as after an outage.
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
                self._backend.open(storage, lambda world: with_missing(world, self._waba_id, self._phone_number_ids))
            self._server = Server(
                self._backend.handle, host=self._host, port=self._port, name="emulator", error_response=http_error
            )
            undo.pop_all()
        self._port = self._server.port
        address = _ANY_ADDRESS.get(self._host, self._host)
        self._backend.settings = replace(
            self._backend.settings, base_url=_url(address, self._port), cdn_url=_url(self._cdn_host, self._port)
        )
        self._server.start()
        return self

    def close(self) -> None:
        """Stop listening, end every connection, close the database; a second call does nothing."""
        server, self._server = self._server, None
        if server is None:
            return
        self._closing.set()
        server.close()
        self._sender.close()
        self._backend.close()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "not started" if self._server is None else self.url
        return f"Emulator({where}, waba_id={self._waba_id!r})"

    @property
    def url(self) -> str:
        """The address that it listens on: the client's `base_url`."""
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

    # Recorded requests

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """The last `keep_requests` requests, in order of arrival."""
        with self._backend.lock:
            return tuple(self._backend.requests)

    @property
    def leaks(self) -> tuple[RecordedRequest, ...]:
        """The downloads that carried a token: a client must not send one to the download host."""
        with self._backend.lock:
            return tuple(self._backend.leaks)

    def clear_requests(self) -> None:
        """Drop the recorded requests."""
        with self._backend.lock:
            self._backend.requests.clear()
            self._backend.leaks.clear()

    # Faults

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

        How: an error by `code` and `subcode`; any `status` and `body`; additional `headers`; a
        `delay` in seconds before the response; a connection `reset` "before" or "after" the
        request takes effect; a body that ends after `truncate` bytes. When: the next `times`, every
        Nth, or with a `probability`; without these, always. A request that fails with an error has no
        effect, except that a Flow JSON is saved when its upload fails with 139001/4016012.
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
        """Make requests fail by an existing rule. ValueError when there are too many faults."""
        fault = Fault(rule)
        with self._backend.lock:
            self._backend.faults.add(fault)
        return fault

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The active faults, in the order in which they are checked."""
        with self._backend.lock:
            return tuple(fault for _, fault in self._backend.faults)

    def clear_faults(self) -> None:
        """Cancel all faults."""
        with self._backend.lock:
            self._backend.faults.clear()

    def set_usage(self, percent: int | None, minutes: int = 0) -> None:
        """Fix what the rate-limit headers report; with None they report the quota, if there is one."""
        with self._backend.lock:
            self._backend.forced_usage = None if percent is None else QuotaUsage(percent, minutes)

    # The world: what it holds, and changes that are made outside the Graph API

    def flows(self, waba_id: str | None = None) -> tuple[FlowRecord, ...]:
        """The Flows of an account, or all; oldest first."""
        flows = self._backend.world.flows.values()
        return tuple(flow for flow in flows if waba_id in (None, flow.waba_id))

    def flow(self, flow_id: str) -> FlowRecord:
        """A Flow as it is now; LookupError for an unknown id."""
        return _admin.existing(self._backend.world.flows, flow_id)

    def add_account(self, waba_id: str, *, business_id: str = DEFAULT_BUSINESS_ID) -> None:
        """
        Add an account without phone numbers; flows migrate between accounts of one business.

        Of an account that exists already (in the `database`), only the business changes.
        """
        self._change(lambda world: _admin.add_account(world, waba_id, business_id))

    def add_phone_number(self, phone_number_id: str, *, waba_id: str | None = None, verified: bool = True) -> None:
        """Connect a phone number to an account; a number that exists already keeps its key."""
        account_id = waba_id or self._waba_id
        self._change(lambda world: _admin.add_phone_number(world, phone_number_id, account_id, verified=verified))

    def register_again(self, phone_number_id: str) -> None:
        """Register a phone number anew: its key stays, with the status MISMATCH until it is uploaded again."""
        self._change(lambda world: _admin.register_again(world, phone_number_id))

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
        Add a Flow that exists before the test begins.

        Only its name and status are checked; its Flow JSON is validated as in an upload.
        """
        with self._backend.lock:
            world, flow = _admin.add_flow(
                self._backend.world,
                name,
                categories=categories,
                flow_json=flow_json,
                status=status,
                endpoint_uri=endpoint_uri,
                waba_id=waba_id or self._waba_id,
                now=self._clock(),
            )
            self._change(lambda _: world)
        return flow

    def set_status(self, flow_id: str, status: str) -> None:
        """Throttle, block, deprecate or restore a Flow, as Meta does."""
        self._change(lambda world: _admin.set_status(world, flow_id, status, self._clock()))

    def lock(self, flow_id: str) -> None:
        """Make a Flow one of the old ones that cannot be edited: every edit fails with 139001/4016010."""
        self._change_flow(flow_id, lambda flow: replace(flow, locked=True))

    def set_application(self, flow_id: str, application_id: str | None) -> None:
        """Connect an app to a Flow, or none."""
        self._change_flow(flow_id, lambda flow: replace(flow, application_id=application_id))

    def set_endpoint_available(self, available: bool, *, endpoint_uri: str | None = None) -> None:
        """Set whether an endpoint responds to Meta's health check; without a URI, every endpoint."""
        self._change(lambda world: _admin.set_endpoint_available(world, available, endpoint_uri))

    @property
    def endpoint_checks(self) -> tuple[EndpointCheck, ...]:
        """The last 1,000 health checks of endpoints, oldest first."""
        return tuple(self._endpoints.results)

    def add_metric(self, flow_id: str, metric: str, data: Mapping[str, float], *, at: float | None = None) -> None:
        """Record a data point of a Flow's endpoint metrics; `at` is in Unix seconds (default: now)."""
        time_of_point = self._clock() if at is None else at
        self._change(lambda world: _admin.add_metric(world, flow_id, metric, data, time_of_point))

    def _change_flow(self, flow_id: str, change: Callable[[FlowRecord], FlowRecord]) -> None:
        self._change(lambda world: _admin.change_flow(world, flow_id, change))

    def _change(self, change: Callable[[World], World]) -> None:
        if self._server is None:
            raise RuntimeError("the emulator is not running: its world cannot be changed")
        self._backend.change(change)


def _check_collections(*collections: Collection[str] | None) -> None:
    """ValueError, as for every invalid argument, for a string in place of a collection of strings."""
    if any(isinstance(given, str) for given in collections):
        raise ValueError("tokens, phone_number_ids and allowed_hosts are collections of strings, not one string")


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
