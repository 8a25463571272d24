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


def _nearest(name: str) -> str:
    """The known name that is most like another one. `difflib` is loaded for this alone."""
    found: list[str] = import_module("difflib").get_close_matches(name, _KNOWN, n=1, cutoff=0.0)
    return found[0]


def _check_names(given: Mapping[str, Any]) -> None:
    """Refuses a variable that nobody reads, because whoever set it believes that it does something."""
    for name in given:
        if name not in _KNOWN and not name.startswith(_NOT_OURS):
            near = _ELSEWHERE.get(name) or _nearest(name)
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
