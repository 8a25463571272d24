"""From a client's options, or the environment, to the values that calls are made with. Checks all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from ._engine import Rules
from ._operations import Api
from ._wire import Secret, hidden, shown
from .errors import ConfigurationError
from .events import emitter
from .retry import ExponentialBackoff, Jitter, decorrelated_jitter, equal_jitter, full_jitter
from .transport import Credentials, Timeout
from .usage import UsageLog


@dataclass(frozen=True, slots=True)
class Settings:
    """What every call of one client needs."""

    api: Api
    credentials: Credentials
    rules: Rules
    timeout: Timeout
    usage: UsageLog

    def rules_for(self, max_retries: int | None) -> Rules:
        """The rules of one call; `max_retries` counts attempts in all, None is the client's own number."""
        if max_retries is None:
            return self.rules
        return replace(self.rules, max_attempts=attempts("max_retries", max_retries))

    def sharing_usage(self, other: Settings) -> Settings:
        """The same, but what is learnt of the rate limits is kept together with another client's."""
        return replace(self, usage=other.usage, rules=replace(self.rules, note=other.usage.note))


def settings(options: Mapping[str, Any]) -> Settings:
    """The values behind a client's options. Raises `ConfigurationError` for an option that makes no sense."""
    on_event = options["on_event"]
    consumers = () if on_event is None else (on_event,) if callable(on_event) else tuple(on_event)
    policy = options["retry_policy"]
    if policy is not None and not callable(getattr(policy, "decide", None)):
        raise ConfigurationError("retry_policy must have a decide method: see RetryPolicy.")
    usage = UsageLog()
    return Settings(
        api=Api(base_url=options["base_url"], version=options["api_version"], waba_id=options["waba_id"]),
        credentials=Credentials(options["access_token"], options["app_secret"]),
        rules=Rules(
            policy=ExponentialBackoff() if policy is None else policy,
            max_attempts=attempts("max_attempts", options["max_attempts"]),
            error_codes=options["error_codes"],
            emit=emitter(consumers, options["clock"]),
            clock=options["clock"],
            watched=bool(consumers),
            note=usage.note,
        ),
        timeout=Timeout.of(options["timeout"]),
        usage=usage,
    )


def attempts(argument: str, value: object) -> int:
    """A number of attempts in all: 0 and 1 both mean one."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(
            f"{argument} counts attempts in all: a whole number of at least 0, not {shown(value)}."
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
    return {name: hidden(value) if name in _SECRETS else value for name, value in given.items()}


def from_environment(given: Mapping[str, Any]) -> dict[str, Any]:
    """
    The options of a client that these variables name.

    Raises `ConfigurationError` that names the variable, never the token.
    """
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
            raise ConfigurationError(f"{_PREFIX}RETRY_JITTER must be one of {', '.join(_JITTERS)}, not {shown(word)}.")
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
        raise ConfigurationError(f"{_PREFIX}{name} must be a number, not {shown(given[name])}.")
    return float(given[name])
