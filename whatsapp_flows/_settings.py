"""A client's options: their types, their checks, and the values that calls are made with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypedDict

from ._dataclasses import dataclass, field, replace
from ._documents import Validate, validation_mode
from ._engine import CallPolicy
from ._error_codes import ErrorCodes
from ._inspection import is_coroutine_function
from ._operations import Api
from ._wire import Request, Secret, as_secret, short_repr
from .errors import ConfigurationError
from .events import EventConsumer, emitter
from .retry import ExponentialBackoff, RetryPolicy, longest_call
from .transport import Credentials, Timeout
from .usage import UsageLog


class CommonOptions(TypedDict, total=False):
    """The options that both clients have in common, for their `with_options`."""

    waba_id: str | None
    phone_number_id: str | None
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
    """The values that every call of one client uses."""

    api: Api
    credentials: Credentials
    policy: CallPolicy
    timeout: Timeout
    usage: UsageLog
    validate: Validate

    def prepared(self, request: Request, token: Secret | None, began: float) -> tuple[Request, Timeout] | None:
        """
        The signed request and its time-out, shortened to the time that the call has left; None when none is left.

        `began` is when the engine handed the request over: getting a token may have taken a while since.
        """
        signed = self.credentials.sign(request, token)
        if signed.time_left is None:
            return signed, self.timeout
        left = signed.time_left - (self.policy.clock() - began)
        return (replace(signed, time_left=left), self.timeout.within(left)) if left > 0 else None

    def mode_for(self, validate: Validate | None) -> Validate:
        """The validation mode of one call; None is the client's own."""
        return self.validate if validate is None else validation_mode(validate)

    def policy_for(self, max_retries: int | None) -> CallPolicy:
        """The policy of one call; `max_retries` counts attempts in all, None is the client's own number."""
        if max_retries is None:
            return self.policy
        return replace(self.policy, max_attempts=attempts("max_retries", max_retries))

    def sharing_usage(self, other: Settings) -> Settings:
        """The same settings, with the rate-limit figures recorded together with those of another client."""
        return replace(self, usage=other.usage, policy=replace(self.policy, record_usage=other.usage.record_usage))


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonValues:
    """
    The options of a client as they are in effect, without the secrets; each as in the constructor.

    `timeout` is a `Timeout` whatever was given, `on_event` a tuple of consumers. A `retry_policy` of None is the
    default, `ExponentialBackoff()`.
    """

    waba_id: str | None
    phone_number_id: str | None
    api_version: str
    base_url: str
    max_attempts: int
    retry_policy: RetryPolicy | None
    timeout: Timeout
    clock: Callable[[], float] = field(repr=False)
    error_codes: ErrorCodes
    on_event: tuple[EventConsumer, ...]
    validate: Validate


_OPTION_SECRETS: Final = frozenset({"access_token", "app_secret"})


def hide_secrets(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changed options, with the secrets among them as `Secret`."""
    return {name: as_secret(value) if name in _OPTION_SECRETS else value for name, value in changes.items()}


def normalized(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options in the form that they are stored in: a `Timeout`, a number of attempts, a tuple of consumers."""
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
    if any(is_coroutine_function(consumer) for consumer in consumers):
        raise ConfigurationError("on_event must be a plain callable: a coroutine would never be awaited.")
    return consumers


def settings_of(options: CommonValues, credentials: Credentials) -> Settings:
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
        api=Api(
            base_url=options.base_url,
            version=options.api_version,
            waba_id=options.waba_id,
            phone_number_id=options.phone_number_id,
        ),
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
