"""The options of a client from environment variables, `WHATSAPP_FLOWS_*`. Checks all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

from ._inert import inert
from ._operations import Api
from ._wire import Secret, as_secret, short_repr
from .errors import ConfigurationError
from .retry import ExponentialBackoff, Jitter, decorrelated_jitter, equal_jitter, full_jitter
from .transport import Timeout

_PREFIX: Final = "WHATSAPP_FLOWS_"
_JITTERS: Final[Mapping[str, Jitter | None]] = {
    "none": None,
    "full": full_jitter,
    "equal": equal_jitter,
    "decorrelated": decorrelated_jitter,
}
_SECRETS: Final = frozenset({"ACCESS_TOKEN", "APP_SECRET"})
# variable -> option, for those whose value is used unchanged.
_UNCHANGED: Final[Mapping[str, str]] = {
    "ACCESS_TOKEN": "access_token",
    "WABA_ID": "waba_id",
    "PHONE_NUMBER_ID": "phone_number_id",
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
    """The `WHATSAPP_FLOWS_*` variables without the prefix, secrets as `Secret`; an empty one counts as unset."""
    given = {
        name.removeprefix(_PREFIX): value
        for name in environ
        if name.startswith(_PREFIX) and (value := environ[name].strip())
    }
    return {name: as_secret(value) if name in _SECRETS else value for name, value in given.items()}


# Variables with the same prefix that others read: the tests of this project, and an endpoint's `PrivateKeys.from_env`.
_OF_OTHERS: Final = ("LIVE", "TEST_", "PRIVATE_KEY")
_KNOWN: Final = (*_UNCHANGED, "MAX_ATTEMPTS", *_RETRY_NUMBERS, "RETRY_JITTER", "TIMEOUT")
# The names of other clients -> the names here.
_SYNONYMS: Final[Mapping[str, str]] = {
    "MAX_RETRIES": "MAX_ATTEMPTS",
    "RETRIES": "MAX_ATTEMPTS",
    "TOKEN": "ACCESS_TOKEN",
    "URL": "BASE_URL",
    "ACCOUNT_ID": "WABA_ID",
    "VERSION": "API_VERSION",
    "RETRY_DELAY": "RETRY_INITIAL",
}


def _nearest(name: str) -> str:
    """The known name that is most like another one. `difflib` is loaded for this alone."""
    found: list[str] = import_module("difflib").get_close_matches(name, _KNOWN, n=1, cutoff=0.0)
    return found[0]


def _check_names(given: Mapping[str, Any]) -> None:
    """Refuse an unknown variable: it would have no effect."""
    for name in given:
        if name not in _KNOWN and not name.startswith(_OF_OTHERS):
            near = _SYNONYMS.get(name) or _nearest(name)
            raise ConfigurationError(
                f"{inert(_PREFIX + name)} is not a known variable: did you mean {_PREFIX}{near}? Known are "
                f"{', '.join(_PREFIX + known for known in _KNOWN)}."
            )


def from_environment(given: Mapping[str, Any]) -> dict[str, Any]:
    """
    The options of a client that these variables set.

    Raises `ConfigurationError` for an invalid value or an unknown variable. It names the variable, never the token.
    """
    _check_names(given)
    if "ACCESS_TOKEN" not in given:
        raise ConfigurationError(f"{_PREFIX}ACCESS_TOKEN is not set: put the access token into it.")
    options: dict[str, Any] = {option: given[name] for name, option in _UNCHANGED.items() if name in given}
    for name in ("WABA_ID", "PHONE_NUMBER_ID", "API_VERSION", "BASE_URL"):
        if name in given:
            with _named(name):
                Api(**{**_DEFAULT_API, "version" if name == "API_VERSION" else _UNCHANGED[name]: given[name]})
    if "MAX_ATTEMPTS" in given:
        options["max_attempts"] = int(_number(given, "MAX_ATTEMPTS", pattern=r"[0-9]{1,6}"))
    if "TIMEOUT" in given:
        with _named("TIMEOUT"):
            options["timeout"] = Timeout.of(_number(given, "TIMEOUT"))
    backoff: dict[str, Any] = {field: _number(given, name) for name, field in _RETRY_NUMBERS.items() if name in given}
    if "RETRY_JITTER" in given:
        jitter = given["RETRY_JITTER"].lower()
        if jitter not in _JITTERS:
            raise ConfigurationError(
                f"{_PREFIX}RETRY_JITTER must be one of {', '.join(_JITTERS)}, not {short_repr(jitter)}."
            )
        backoff["jitter"] = _JITTERS[jitter]
    if backoff:
        with _named(*(name for name in _RETRY_NUMBERS if name in given)):
            options["retry_policy"] = ExponentialBackoff(**backoff)
    return options


@contextmanager
def _named(*variables: str) -> Iterator[None]:
    """Add the variables' names to the error of an invalid option."""
    try:
        yield
    except ConfigurationError as wrong:
        message = wrong.message
    else:
        return
    names = ", ".join(_PREFIX + variable for variable in variables)
    raise ConfigurationError(message if message.startswith(_PREFIX) else f"{names}: {message}")


def _number(given: Mapping[str, str], name: str, *, pattern: str = r"[0-9]{1,9}(\.[0-9]{1,9})?") -> float:
    if not re.fullmatch(pattern, given[name]):
        raise ConfigurationError(f"{_PREFIX}{name} must be a number, not {short_repr(given[name])}.")
    return float(given[name])
