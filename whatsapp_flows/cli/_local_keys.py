"""The key of an endpoint as commands take it: a file, stdin or the environment; of a private key, the public half."""

from __future__ import annotations

from types import ModuleType
from typing import Final

import click

from .._wire import Secret
from ..errors import ConfigurationError
from ._app import App

VARIABLE: Final = "WHATSAPP_FLOWS_PRIVATE_KEY"
PASSWORD_VARIABLE: Final = f"{VARIABLE}_PASSWORD"
_MAX_KEY_BYTES: Final = 32 * 1024


def import_endpoint() -> ModuleType:
    """The package that makes and reads private keys. Raises `UsageError` without its extra."""
    try:
        from .. import endpoint  # noqa: PLC0415
    except ImportError as missing:
        raise click.UsageError(f"{missing}.") from None
    return endpoint


def public_pems(app: App, file: str | None, *, missing: str = f"give FILE, or set {VARIABLE}") -> tuple[str, ...]:
    """
    The public half of the key in a file, or of the keys in the environment.

    A public key is taken as it is, which needs no extra. The password of an encrypted key is in the environment, or
    asked for. `missing` is what to do if there is no key.
    """
    if file is None:
        if not app.env.get(VARIABLE, "").strip():
            raise click.UsageError(f"no key: {missing}.")
        found: tuple[str, ...] = import_endpoint().PrivateKeys.from_env(app.env).public_pems
        return found
    pem = Secret(app.read(file, limit=_MAX_KEY_BYTES).decode(errors="replace"))
    if "PUBLIC KEY" in pem.reveal() and "PRIVATE KEY" not in pem.reveal():
        return (pem.reveal(),)
    return _public_half(app, "standard input" if file == "-" else file, pem)


def _public_half(app: App, source: str, pem: Secret) -> tuple[str, ...]:
    endpoint, password = import_endpoint(), None
    if "ENCRYPTED" in pem.reveal():  # in the label of PKCS#8, and in a header of PKCS#1
        password = password_in(app) or app.ask_hidden(f"Password of {source}", instead=f"set {PASSWORD_VARIABLE}")
    try:
        found: tuple[str, ...] = endpoint.PrivateKeys(pem, password=password).public_pems
    except ConfigurationError as wrong:
        message = wrong.message
    else:
        return found
    raise ConfigurationError(f"{source}: {message}")


def password_in(app: App) -> Secret | None:
    """The password in the environment."""
    value = app.env.get(PASSWORD_VARIABLE, "")
    return Secret(value) if value.strip() else None
