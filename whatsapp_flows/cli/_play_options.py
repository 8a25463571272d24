"""What the commands that play a Flow have in common: the data to open with, the endpoint, its key, the app secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from .._wire import Secret
from ._app import App
from ._named_objects import import_named

_MAX_DATA_BYTES: Final = 1024 * 1024
_MAX_KEY_BYTES: Final = 64 * 1024
_APP_SECRET: Final = "WHATSAPP_FLOWS_APP_SECRET"  # noqa: S105 - the name of the variable


@contextmanager
def named_endpoint(name: str | None) -> Iterator[object]:
    """What --endpoint stands for: a URL as it is, an object of a module, or None."""
    if name is None or "://" in name:
        yield name
        return
    with import_named(name) as found:
        yield found


def read_data(app: App, given: str | None) -> dict[str, Any] | None:
    """The object of `--data`: JSON, or a file whose name follows an @."""
    if given is None:
        return None
    text: str | bytes = app.read(given[1:], limit=_MAX_DATA_BYTES) if given.startswith("@") else given
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise click.UsageError("--data must be a JSON object, or @ and the name of a file that holds one.")
    return found


def read_public_key(app: App, given: str | None) -> bytes | None:
    """The public key of `--public-key`, which is no secret: its PEM, or the name of a file that holds it."""
    if given is None:
        return None
    return given.encode() if given.lstrip().startswith("-----BEGIN") else app.read(given, limit=_MAX_KEY_BYTES)


def app_secret(app: App) -> Secret | None:
    """The app secret in the environment."""
    found = app.env.get(_APP_SECRET, "").strip()
    return Secret(found) if found else None
