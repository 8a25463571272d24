"""
`WHATSAPP_FLOWS` of the settings module, read into a frozen value at each use.

The client's keys are the environment variables of `FlowsClient.from_env` without their prefix:
`WHATSAPP_FLOWS["MAX_ATTEMPTS"]` corresponds to `WHATSAPP_FLOWS_MAX_ATTEMPTS`. A setting takes precedence over its
variable; without either, the client's default applies.
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
    "PHONE_NUMBER_ID",
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
# The app's own numbers and their minimums, in the order of AppSettings.
_NUMBERS: Final[Mapping[str, float]] = {"JOBS": 1, "CALLS_PER_HOUR": 1, "SYNC_LEASE": 1, "ADMIN_MAX_ELAPSED": 1}
KNOWN_KEYS: Final = (*CLIENT_KEYS, "FLOWS", "VALIDATE", *_NUMBERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    """
    The settings of the app.

    `flows` is the dotted path of the flows that the project defines in Python; empty for none. `jobs` flows are
    deployed concurrently. `calls_per_hour` is the budget of one run; None takes it from Meta's headers, else 200. The
    lease of a row expires if it is not renewed for `sync_lease` seconds. In the admin a call ends after
    `admin_max_elapsed` seconds, including retries, because a web worker waits for it. `validate` selects what happens
    to a flow whose Flow JSON has errors: "error" does not send it, "warn" and "off" do.
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
        """A new client, which the caller closes. Raises `ConfigurationError`, whose text contains no secret."""
        try:
            client = FlowsClient.from_env(self.environ)
        except ConfigurationError as error:
            raise ConfigurationError(self._with_setting_names(error.message)) from None
        return client if self.token_source is None else client.with_options(access_token=self.token_source)

    def _with_setting_names(self, message: str) -> str:
        """The message with the name of the setting instead of the variable, if the setting was used."""
        given = getattr(django_settings, SETTING, {})
        for key in CLIENT_KEYS:
            if key in given or key == "ACCESS_TOKEN":
                message = message.replace(f"{_PREFIX}{key} ", f'{SETTING}["{key}"] ')
                message = message.replace(f"{_PREFIX}{key}:", f'{SETTING}["{key}"]:')
        return message


def read_settings(environ: Mapping[str, str] = os.environ) -> AppSettings:
    """The current settings. Raises `ConfigurationError`, which names the key."""
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
    """A client setting in the form of its variable. The client validates the value."""
    value = given[key]
    if key == "ACCESS_TOKEN" and callable(value):
        return "asked-for-before-each-request"
    if isinstance(value, str):
        return value
    if key not in _SECRETS and isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:.9f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    raise ConfigurationError(f'{SETTING}["{key}"] must be a text or a number, not {type(value).__name__}.')


def _number(given: Mapping[str, Any], key: str) -> float:
    value, minimum = given[key], _NUMBERS[key]
    whole = key == "JOBS"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not value >= minimum:
        kind = "whole number" if whole else "number"
        raise ConfigurationError(f'{SETTING}["{key}"] must be a {kind} of at least {minimum:g}, not {value!r}.')
    number: float = value
    return number


def _mode(value: object) -> Validate:
    try:
        return validation_mode(value)
    except ConfigurationError as error:
        raise ConfigurationError(f'{SETTING}["VALIDATE"]: {error.message}') from None


def _path(value: object) -> str:
    if not isinstance(value, str) or "." not in value:
        raise ConfigurationError(f'{SETTING}["FLOWS"] must be a dotted path such as "crm.flows.FLOWS", not {value!r}.')
    return value
