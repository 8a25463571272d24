"""
`WHATSAPP_FLOWS` of the settings module, read into one frozen value each time it is needed.

The client's keys are those of `FlowsClient.from_env` without their prefix: `WHATSAPP_FLOWS["MAX_ATTEMPTS"]` is the
variable `WHATSAPP_FLOWS_MAX_ATTEMPTS`. A setting wins over its variable; what neither names is the client's default.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from django.conf import settings as django_settings

from ..._documents import Validate, validation_mode
from ...client import FlowsClient
from ...errors import ConfigurationError

SETTING: Final = "WHATSAPP_FLOWS"
_PREFIX: Final = "WHATSAPP_FLOWS_"

CLIENT_KEYS: Final = (
    "ACCESS_TOKEN",
    "WABA_ID",
    "API_VERSION",
    "BASE_URL",
    "APP_SECRET",
    "MAX_ATTEMPTS",
    "RETRY_INITIAL",
    "RETRY_MULTIPLIER",
    "RETRY_MAXIMUM",
    "RETRY_JITTER",
    "TIMEOUT",
)
_SECRETS: Final = frozenset({"ACCESS_TOKEN", "APP_SECRET"})
# The app's own keys and their least values, both in the order of AppSettings.
_NUMBERS: Final[Mapping[str, float]] = {"JOBS": 1, "CALLS_PER_HOUR": 1, "SYNC_LEASE": 1, "ADMIN_MAX_ELAPSED": 1}
KNOWN_KEYS: Final = (*CLIENT_KEYS, "FLOWS", "VALIDATE", *_NUMBERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    """
    What the app runs with.

    `flows` is the dotted path of the flows that the project defines in Python; empty for none. `jobs` flows are worked
    on side by side. `calls_per_hour` is the budget of one run; None is what Meta's headers say, else 200. A row
    whose process has not renewed its claim for `sync_lease` seconds belongs to nobody. In the admin a call
    ends after `admin_max_elapsed` seconds, its repetitions included, because a web worker waits for it. `validate`
    says what is done about errors in a Flow JSON: "error" leaves the flow alone, "warn" and "off" send it.
    """

    environ: Mapping[str, str] = field(repr=False)
    token_source: Callable[[], str] | None = field(default=None, repr=False)
    flows: str = ""
    validate: Validate = "error"
    jobs: int = 4
    calls_per_hour: float | None = None
    sync_lease: float = 1800.0
    admin_max_elapsed: float = 20.0

    def client(self) -> FlowsClient:
        """A new client, to be closed. Raises `ConfigurationError` that names what is wrong, and shows no secret."""
        try:
            client = FlowsClient.from_env(self.environ)
        except ConfigurationError as wrong:
            raise ConfigurationError(self._in_our_words(wrong.message)) from None
        return client if self.token_source is None else client.with_options(access_token=self.token_source)

    def _in_our_words(self, message: str) -> str:
        """A variable's name becomes the setting's where that is what was given."""
        given = getattr(django_settings, SETTING, {})
        for key in CLIENT_KEYS:
            if key in given or key == "ACCESS_TOKEN":
                message = message.replace(f"{_PREFIX}{key} ", f'{SETTING}["{key}"] ')
                message = message.replace(f"{_PREFIX}{key}:", f'{SETTING}["{key}"]:')
        return message


def read_settings(environ: Mapping[str, str] = os.environ) -> AppSettings:
    """The settings as they are now. Raises `ConfigurationError` that names the key."""
    given = getattr(django_settings, SETTING, {})
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{SETTING} must be a dictionary, not {type(given).__name__}.")
    for key in given:
        if key not in KNOWN_KEYS:
            close = get_close_matches(str(key), KNOWN_KEYS, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(KNOWN_KEYS)}."
            raise ConfigurationError(f"{SETTING} has an unknown key {key!r}: {hint}")
    own: dict[str, Any] = {key.lower(): _number(given, key) for key in _NUMBERS if given.get(key) is not None}
    if given.get("FLOWS") is not None:
        own["flows"] = _path(given["FLOWS"])
    if given.get("VALIDATE") is not None:
        own["validate"] = _mode(given["VALIDATE"])
    variables = {name: value for name, value in environ.items() if name.startswith(_PREFIX)}
    variables |= {_PREFIX + key: _text(given, key) for key in CLIENT_KEYS if given.get(key) is not None}
    source = given.get("ACCESS_TOKEN")
    return AppSettings(environ=variables, token_source=source if callable(source) else None, **own)


def _text(given: Mapping[str, Any], key: str) -> str:
    """A client's setting as its variable would hold it. The client checks what it means."""
    value = given[key]
    if key == "ACCESS_TOKEN" and callable(value):
        return "asked-for-before-each-request"
    if isinstance(value, str):
        return value
    if key not in _SECRETS and isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:.9f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    raise ConfigurationError(f'{SETTING}["{key}"] must be a text or a number, not {type(value).__name__}.')


def _number(given: Mapping[str, Any], key: str) -> float:
    value, least = given[key], _NUMBERS[key]
    whole = key == "JOBS"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not value >= least:
        kind = "whole number" if whole else "number"
        raise ConfigurationError(f'{SETTING}["{key}"] must be a {kind} of at least {least:g}, not {value!r}.')
    number: float = value
    return number


def _mode(value: object) -> Validate:
    try:
        return validation_mode(value)
    except ConfigurationError as wrong:
        raise ConfigurationError(f'{SETTING}["VALIDATE"]: {wrong.message}') from None


def _path(value: object) -> str:
    if not isinstance(value, str) or "." not in value:
        raise ConfigurationError(f'{SETTING}["FLOWS"] must be a dotted path such as "crm.flows.FLOWS", not {value!r}.')
    return value
