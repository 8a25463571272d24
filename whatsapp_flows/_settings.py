"""From a client's options, or the environment, to the values that calls are made with. Checks all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypedDict, TypeVar

from ._documents import Validate, validation_mode
from ._engine import CallPolicy
from ._error_codes import ErrorCodes
from ._inert import inert
from ._leases import Lease
from ._operations import Api
from ._wire import Request, Secret, as_secret, short_repr
from .errors import ConfigurationError
from .events import EventConsumer, emitter
from .retry import (
    ExponentialBackoff,
    Jitter,
    RetryPolicy,
    decorrelated_jitter,
    equal_jitter,
    full_jitter,
    longest_call,
)
from .transport import Credentials, Timeout
from .usage import Usage, UsageLog

if TYPE_CHECKING:
    from typing_extensions import Self


class CommonOptions(TypedDict, total=False):
    """The options that both clients take alike, for their `with_options`."""

    waba_id: str | None
    api_version: str
    base_url: str
    app_secret: str | None
    max_attempts: int
    retry_policy: RetryPolicy | None
    timeout: float | Timeout
    clock: Callable[[], float]
    error_codes: ErrorCodes
    on_event: EventConsumer | Iterable[EventConsumer] | None
    validate: Validate


@dataclass(frozen=True, slots=True)
class Settings:
    """What every call of one client needs."""

    api: Api
    credentials: Credentials
    policy: CallPolicy
    timeout: Timeout
    usage: UsageLog
    validate: Validate

    def timed(self, request: Request, began: float) -> tuple[Request, Timeout] | None:
        """
        The request and its time-out, shortened to what the call has left; None when nothing is.

        `began` is when the engine handed the request over: getting a token may have taken a while since.
        """
        if request.time_left is None:
            return request, self.timeout
        left = request.time_left - (self.policy.clock() - began)
        return (replace(request, time_left=left), self.timeout.within(left)) if left > 0 else None

    def mode_for(self, validate: Validate | None) -> Validate:
        """Whether one call checks its document; None is the client's own word."""
        return self.validate if validate is None else validation_mode(validate)

    def policy_for(self, max_retries: int | None) -> CallPolicy:
        """The rules of one call; `max_retries` counts attempts in all, None is the client's own number."""
        if max_retries is None:
            return self.policy
        return replace(self.policy, max_attempts=attempts("max_retries", max_retries))

    def sharing_usage(self, other: Settings) -> Settings:
        """The same, but what is learnt of the rate limits is kept together with another client's."""
        return replace(self, usage=other.usage, policy=replace(self.policy, record_usage=other.usage.record_usage))


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonValues:
    """
    The options of a client as they are in effect, without the secrets; each as in the constructor.

    `timeout` is a `Timeout` whatever was given, `on_event` a tuple of consumers. A `retry_policy` of None is the
    default, `ExponentialBackoff()`.
    """

    waba_id: str | None
    api_version: str
    base_url: str
    max_attempts: int
    retry_policy: RetryPolicy | None
    timeout: Timeout
    clock: Callable[[], float]
    error_codes: ErrorCodes
    on_event: tuple[EventConsumer, ...]
    validate: Validate


OptionValues = TypeVar("OptionValues", bound=CommonValues)
AnyTransport = TypeVar("AnyTransport")

_CONNECTED_BY: Final = ("session", "transport")


class Configured(Generic[OptionValues, AnyTransport]):
    """What both clients are made of: their options, the values behind these, and no way to show or copy a secret."""

    _options: OptionValues
    _lease: Lease[AnyTransport]

    def _configure(self, options: OptionValues, credentials: Credentials, lease: Lease[AnyTransport] | None) -> None:
        """Takes the options, checks them, and connects: by what is given here, or as they say."""
        self._settings = settings(options, credentials)
        self._api = self._settings.api
        self._options = options
        self._closed = False
        self._lease = self._connected(options) if lease is None else lease
        self._transport = self._lease.transport

    def _connected(self, options: OptionValues) -> Lease[AnyTransport]:
        """The use of a transport of our own, or of the host's."""
        raise NotImplementedError

    def _changed(self, changes: Mapping[str, Any]) -> Self:
        """A client of the same kind with these options changed, on the same transport unless that is one of them."""
        token, secret = self._settings.credentials.parts
        given = dict(changes)
        credentials = Credentials(given.pop("access_token", token), given.pop("app_secret", secret))
        elsewhere = any(name in given for name in _CONNECTED_BY)
        base: Mapping[str, Any] = dict.fromkeys(_CONNECTED_BY) if elsewhere else {}
        made = self._another(
            replace(self._options, **{**base, **in_effect(given)}),
            credentials,
            None if elsewhere else self._lease.another(),
        )
        if "access_token" not in changes:  # the limits are those of the token's app
            made._settings = made._settings.sharing_usage(self._settings)
        return made

    def _around(self, transport: AnyTransport) -> Self:
        """A client of the same kind and with the same options that sends by a transport around this client's own."""
        if transport is None:
            raise ConfigurationError("wrapping: the function must return a transport, not None.")
        options: OptionValues = replace(self._options, session=None, transport=transport)  # type: ignore[call-arg]
        made = self._another(options, self._settings.credentials, self._lease.around(transport))
        made._settings = made._settings.sharing_usage(self._settings)
        return made

    def _another(self, options: OptionValues, credentials: Credentials, lease: Lease[AnyTransport] | None) -> Self:
        """As `copy.copy` would make it, but for these: the `__init__` of a subclass may ask for other things."""
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
        """The WhatsApp Business Account; None for a client that knows none."""
        return self._api.waba_id

    @property
    def usage(self) -> tuple[Usage, ...]:
        """
        How near the rate limits are: the last figures that Meta sent, per business object and type of limit.

        The app's own limit comes first, if there is one. Empty before Meta has said anything: it sends figures "once
        enough calls have been made". Clients made by `with_options` share them, unless the token is another.
        """
        return self._settings.usage.figures

    def _check_open(self) -> None:
        if self._closed:
            raise ConfigurationError(f"this {type(self).__name__} has been closed: make another.")

    def __repr__(self) -> str:
        api = getattr(self, "_api", None)  # not there yet while the constructor refuses an option
        if api is None:
            return f"{type(self).__name__}(...)"
        return f"{type(self).__name__}(waba_id={api.waba_id!r}, base_url={api.base_url!r}, api_version={api.version!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client is not pickled, because it holds a token: make one in each process.")


_OPTION_SECRETS: Final = frozenset({"access_token", "app_secret"})
_NOT_COPIED: Final = frozenset({"__dict__", "__weakref__"})


def hide(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of options, the secrets among them hidden."""
    return {name: as_secret(value) if name in _OPTION_SECRETS else value for name, value in changes.items()}


def in_effect(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as they are kept: those that may be given in several ways, in one."""
    kept = dict(options)
    if "timeout" in kept:
        kept["timeout"] = Timeout.of(kept["timeout"])
    if "max_attempts" in kept:
        kept["max_attempts"] = attempts("max_attempts", kept["max_attempts"])
    if "on_event" in kept:
        kept["on_event"] = _consumers(kept["on_event"])
    return kept


def _consumers(given: object) -> tuple[EventConsumer, ...]:
    if given is None:
        return ()
    consumers = (given,) if callable(given) or not isinstance(given, Iterable) else tuple(given)
    if not all(map(callable, consumers)):
        raise ConfigurationError("on_event must be a callable, or several.")
    if any(iscoroutinefunction(consumer) for consumer in consumers):
        raise ConfigurationError("on_event must be a plain callable: nobody would await a coroutine.")
    return consumers


def settings(options: CommonValues, credentials: Credentials) -> Settings:
    """The values behind a client's options. Raises `ConfigurationError` for an option that makes no sense."""
    if not isinstance(options.error_codes, ErrorCodes):
        raise ConfigurationError("error_codes must be a table: ERROR_CODES, or what its with_rows returns.")
    policy = options.retry_policy
    if policy is not None:
        if not callable(getattr(policy, "decide", None)):
            raise ConfigurationError("retry_policy must have a decide method: see RetryPolicy.")
        longest_call(policy)
    usage = UsageLog()
    return Settings(
        api=Api(base_url=options.base_url, version=options.api_version, waba_id=options.waba_id),
        credentials=credentials,
        policy=CallPolicy(
            retry_policy=ExponentialBackoff() if policy is None else policy,
            max_attempts=options.max_attempts,
            error_codes=options.error_codes,
            emit=emitter(options.on_event, options.clock),
            clock=options.clock,
            has_listeners=bool(options.on_event),
            record_usage=usage.record_usage,
            token_is_renewable=credentials.renewable,
        ),
        timeout=options.timeout,
        usage=usage,
        validate=validation_mode(options.validate),
    )


def attempts(argument: str, value: object) -> int:
    """A number of attempts in all: 0 and 1 both mean one."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(
            f"{argument} counts attempts in all: a whole number of at least 0, not {short_repr(value)}."
        )
    return max(value, 1)


_PREFIX: Final = "WHATSAPP_FLOWS_"
_JITTERS: Final[Mapping[str, Jitter | None]] = {
    "none": None,
    "full": full_jitter,
    "equal": equal_jitter,
    "decorrelated": decorrelated_jitter,
}
_SECRETS: Final = frozenset({"ACCESS_TOKEN", "APP_SECRET"})
# variable -> option, for those that are taken as they are.
_TEXTS: Final[Mapping[str, str]] = {
    "ACCESS_TOKEN": "access_token",
    "WABA_ID": "waba_id",
    "API_VERSION": "api_version",
    "BASE_URL": "base_url",
    "APP_SECRET": "app_secret",
}
_DEFAULT_API: Final = {"base_url": "https://graph.facebook.com", "version": "v25.0"}
_RETRY_NUMBERS: Final[Mapping[str, str]] = {
    "RETRY_INITIAL": "initial",
    "RETRY_MULTIPLIER": "multiplier",
    "RETRY_MAXIMUM": "maximum",
}


def read_environment(environ: Mapping[str, str]) -> dict[str, str | Secret]:
    """What `WHATSAPP_FLOWS_*` variables hold, without the prefix, the secrets hidden; an empty one counts as unset."""
    given = {
        name.removeprefix(_PREFIX): value
        for name in environ
        if name.startswith(_PREFIX) and (value := environ[name].strip())
    }
    return {name: as_secret(value) if name in _SECRETS else value for name, value in given.items()}


# What reads the same prefix and is no client's: the tests of this project, against Meta or a database of its own.
_NOT_OURS: Final = ("LIVE", "TEST_")
_KNOWN: Final = (*_TEXTS, "MAX_ATTEMPTS", *_RETRY_NUMBERS, "RETRY_JITTER", "TIMEOUT")
# What people write who know other clients -> what it is called here.
_ELSEWHERE: Final[Mapping[str, str]] = {
    "MAX_RETRIES": "MAX_ATTEMPTS",
    "RETRIES": "MAX_ATTEMPTS",
    "TOKEN": "ACCESS_TOKEN",
    "URL": "BASE_URL",
    "ACCOUNT_ID": "WABA_ID",
    "VERSION": "API_VERSION",
    "RETRY_DELAY": "RETRY_INITIAL",
}


def _check_names(given: Mapping[str, Any]) -> None:
    """Refuses a variable that nobody reads, because whoever set it believes that it does something."""
    for name in given:
        if name not in _KNOWN and not name.startswith(_NOT_OURS):
            near = _ELSEWHERE.get(name) or next(iter(get_close_matches(name, _KNOWN, n=1, cutoff=0.0)), "")
            raise ConfigurationError(
                f"{inert(_PREFIX + name)} is read by nobody: did you mean {_PREFIX}{near}? There are "
                f"{', '.join(_PREFIX + known for known in _KNOWN)}."
            )


def from_environment(given: Mapping[str, Any]) -> dict[str, Any]:
    """
    The options of a client that these variables name.

    Raises `ConfigurationError` that names the variable, never the token; so it does for one that is not known.
    """
    _check_names(given)
    if "ACCESS_TOKEN" not in given:
        raise ConfigurationError(f"{_PREFIX}ACCESS_TOKEN is not set: put the access token into it.")
    options: dict[str, Any] = {option: given[name] for name, option in _TEXTS.items() if name in given}
    for name in ("WABA_ID", "API_VERSION", "BASE_URL"):
        if name in given:
            with _named(name):
                Api(**{**_DEFAULT_API, "version" if name == "API_VERSION" else _TEXTS[name]: given[name]})
    if "MAX_ATTEMPTS" in given:
        options["max_attempts"] = int(_number(given, "MAX_ATTEMPTS", pattern=r"[0-9]{1,6}"))
    if "TIMEOUT" in given:
        with _named("TIMEOUT"):
            options["timeout"] = Timeout.of(_number(given, "TIMEOUT"))
    backoff: dict[str, Any] = {field: _number(given, name) for name, field in _RETRY_NUMBERS.items() if name in given}
    if "RETRY_JITTER" in given:
        word = given["RETRY_JITTER"].lower()
        if word not in _JITTERS:
            raise ConfigurationError(
                f"{_PREFIX}RETRY_JITTER must be one of {', '.join(_JITTERS)}, not {short_repr(word)}."
            )
        backoff["jitter"] = _JITTERS[word]
    if backoff:
        with _named(*(name for name in _RETRY_NUMBERS if name in given)):
            options["retry_policy"] = ExponentialBackoff(**backoff)
    return options


@contextmanager
def _named(*variables: str) -> Iterator[None]:
    """Says which variable it was that an option refused."""
    try:
        yield
    except ConfigurationError as wrong:
        said = wrong.message
    else:
        return
    names = ", ".join(_PREFIX + variable for variable in variables)
    raise ConfigurationError(said if said.startswith(_PREFIX) else f"{names}: {said}")


def _number(given: Mapping[str, str], name: str, *, pattern: str = r"[0-9]{1,9}(\.[0-9]{1,9})?") -> float:
    if not re.fullmatch(pattern, given[name]):
        raise ConfigurationError(f"{_PREFIX}{name} must be a number, not {short_repr(given[name])}.")
    return float(given[name])
