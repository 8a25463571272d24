"""What both clients have in common, and what has nothing to do with threads or asyncio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar

from ._dataclasses import replace
from ._leases import Lease
from ._settings import CommonValues, normalized, settings_of
from ._wire import Request
from .errors import ConfigurationError
from .transport import Credentials, Timeout
from .usage import Usage

if TYPE_CHECKING:
    import asyncio
    import threading

    from typing_extensions import Self

    from ._wire import Secret

OptionValues = TypeVar("OptionValues", bound=CommonValues)
AnyTransport = TypeVar("AnyTransport")

_TRANSPORT_OPTIONS: Final = ("session", "transport")
_NOT_COPIED: Final = frozenset({"__dict__", "__weakref__"})


class BaseClient(Generic[OptionValues, AnyTransport]):
    """A client's options, settings and lease of a transport. Neither shows nor copies a secret."""

    _options: OptionValues
    _lease: Lease[AnyTransport]
    _stop: threading.Event | asyncio.Event | None

    def _configure(self, options: OptionValues, credentials: Credentials, lease: Lease[AnyTransport] | None) -> None:
        """Check and store the options; use the transport of the lease, or else the one that the options give."""
        self._settings = settings_of(options, credentials)
        self._api = self._settings.api
        self._options = options
        self._closed = False
        self._lease = self._connect(options) if lease is None else lease
        self._transport = self._lease.transport

    def _connect(self, options: OptionValues) -> Lease[AnyTransport]:
        """A lease of the host's transport, or of a new one."""
        raise NotImplementedError

    def _with_changes(self, changes: Mapping[str, Any]) -> Self:
        """A client of the same class with these options changed, on the same transport unless the changes name one."""
        token, secret = self._settings.credentials.parts
        given = dict(changes)
        credentials = Credentials(given.pop("access_token", token), given.pop("app_secret", secret))
        reconnects = any(name in given for name in _TRANSPORT_OPTIONS)
        base: Mapping[str, Any] = dict.fromkeys(_TRANSPORT_OPTIONS) if reconnects else {}
        made = self._copy(
            replace(self._options, **{**base, **normalized(given)}),
            credentials,
            None if reconnects else self._lease.another(),
        )
        if "access_token" not in changes:  # rate limits belong to the app of the token
            made._settings = made._settings.sharing_usage(self._settings)
        return made

    def _with_transport(self, transport: AnyTransport) -> Self:
        """A client of the same class and with the same options, on a transport that wraps this client's."""
        if transport is None:
            raise ConfigurationError("wrapping: the function must return a transport, not None.")
        options: OptionValues = replace(self._options, session=None, transport=transport)  # type: ignore[call-arg]
        made = self._copy(options, self._settings.credentials, self._lease.around(transport))
        made._settings = made._settings.sharing_usage(self._settings)
        return made

    def _copy(self, options: OptionValues, credentials: Credentials, lease: Lease[AnyTransport] | None) -> Self:
        """A copy with other options. Does not call `__init__`, which a subclass may have given other parameters."""
        made = object.__new__(type(self))
        for kind in type(self).__mro__:
            for name in getattr(kind, "__slots__", ()):
                if name not in _NOT_COPIED and hasattr(self, name):
                    object.__setattr__(made, name, getattr(self, name))
        made.__dict__.update(self.__dict__)
        made._configure(options, credentials, lease)
        return made

    @property
    def options(self) -> OptionValues:
        """The options in effect, as a frozen value: all but the token and the app's secret."""
        return self._options

    @property
    def waba_id(self) -> str | None:
        """The id of the WhatsApp Business Account; None for a client without one."""
        return self._api.waba_id

    @property
    def usage(self) -> tuple[Usage, ...]:
        """
        The last rate-limit figures that Meta sent, for each business object and type of limit.

        The app's own limit comes first, if there is one. Empty until Meta sends figures, which it does "once enough
        calls have been made". Clients made by `with_options` share them, unless the access token differs.
        """
        return self._settings.usage.figures

    def _check_open(self) -> None:
        if self._closed:
            raise ConfigurationError(f"this {type(self).__name__} has been closed: make another.")

    def _is_stopped(self) -> bool:
        return self._stop is not None and self._stop.is_set()

    def _prepared(self, request: Request, token: Secret | None, began: float) -> tuple[Request, Timeout] | None:
        """The request as it is sent, and its time-out; None when the client is stopped or no time is left."""
        if self._is_stopped():
            return None
        if self._stop is not None:
            request = replace(request, stop=self._stop)
        return self._settings.prepared(request, token, began)

    def __repr__(self) -> str:
        api = getattr(self, "_api", None)  # not set while the constructor refuses an option
        if api is None:
            return f"{type(self).__name__}(...)"
        return f"{type(self).__name__}(waba_id={api.waba_id!r}, base_url={api.base_url!r}, api_version={api.version!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client is not pickled, because it holds a token: make one in each process.")
