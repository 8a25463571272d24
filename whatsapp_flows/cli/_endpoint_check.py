"""`endpoint check`: Meta's health check and requests that must be refused, sent to an endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Final

import click
from rich.text import Text

from .._endpoint_report import EndpointReport
from .._inert import inert
from .._wire import Secret
from ..errors import ConfigurationError
from ._app import App
from ._json import Json, as_json
from ._local_keys import VARIABLE, public_pems
from ._options import Command
from ._text import Lines, as_text, count, new_table
from ._values import Value

_MAX_SECRET_BYTES: Final = 64 * 2**10  # of a file with a secret
_APP_SECRET: Final = "WHATSAPP_FLOWS_APP_SECRET"  # noqa: S105 - the name of the variable
_NO_KEY: Final = f"give --key or --phone, or set {VARIABLE}"
_STYLES: Final = {"passed": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}
_FILE: Final = click.Path(exists=True, dir_okay=False, allow_dash=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointChecked(Value):
    """The report of an endpoint."""

    report: EndpointReport

    @property
    def exit_code(self) -> int:
        """1 if a check failed."""
        return 0 if self.report.ok else 1


@click.command("check", cls=Command)
@click.argument("url")
@click.option("--key", metavar="FILE", type=_FILE, help="PEM of the public or the private key; - for stdin.")
@click.option("--phone", metavar="ID", help="Encrypt with the key that is registered for this phone number.")
@click.option("--app-secret-file", metavar="FILE", type=_FILE, help="Read the app secret from FILE; - for stdin.")
@click.option("--ping-only", is_flag=True, help="Send no requests that must be refused.")
@click.pass_obj
def check(
    app: App, url: str, key: str | None, phone: str | None, app_secret_file: str | None, ping_only: bool
) -> EndpointChecked:
    """
    Check an endpoint as Meta does: reach it, and send it an encrypted and signed ping.

    Then send requests that it must refuse: without a signature and with a wrong one (432), and for another key (421).
    The key is that of --key or --phone, or of WHATSAPP_FLOWS_PRIVATE_KEY; the app secret that of --app-secret-file, or
    of WHATSAPP_FLOWS_APP_SECRET.
    """
    if key is not None and phone is not None:
        raise click.UsageError("give --key or --phone, not both.")
    caller = _import_caller()
    public_pem = _registered(app, phone) if phone is not None else public_pems(app, key, missing=_NO_KEY)[0]
    secret = _app_secret(app, app_secret_file)
    report = caller.check_url(url, public_pem, secret, faults=not ping_only, sleep=app.sleep)
    return EndpointChecked(report=report)


def _import_caller() -> ModuleType:
    try:
        from ..endpoint import caller  # noqa: PLC0415 - needs the extra
    except ImportError as missing:
        raise click.UsageError(f"endpoint check: {missing}.") from None
    return caller


def _registered(app: App, phone: str) -> str:
    with app.client(app.progress_reporter()) as client:
        key = client.get_public_key(phone)
    if not key.pem:
        raise ConfigurationError(f"phone number {inert(phone)} has no public key: register one first.")
    return key.pem


def _app_secret(app: App, file: str | None) -> Secret | None:
    if file is not None:
        return Secret(app.read(file, limit=_MAX_SECRET_BYTES).decode(errors="replace").strip())
    found = app.env.get(_APP_SECRET, "").strip()
    return Secret(found) if found else None


@as_text.register
def _(value: EndpointChecked) -> Lines:
    report = value.report
    table = new_table("Check", "Category", "Result", "Found")
    for each in report.checks:
        table.add_row(
            Text(each.name, style="bold"),
            Text(each.category),
            Text(each.result, style=_STYLES[each.result]),
            Text(inert(each.message)),
        )
    yield table
    advised = [each for each in report.checks if each.advice]
    for each in advised:
        yield Text()
        yield Text.assemble((f"{each.name}: ", _STYLES[each.result]), inert(each.advice))
    yield Text()
    warnings = f", {count(len(report.warnings), 'warning')}" if report.warnings else ""
    if report.ok:
        yield Text(f"The endpoint is healthy{warnings}.", style="green")
    else:
        yield Text(f"{count(len(report.failures), 'check')} failed{warnings}.", style="bold red")


@as_json.register
def _(value: EndpointChecked) -> Json:
    report = value.report
    return {
        "endpoint_uri": report.endpoint_uri,
        "ok": report.ok,
        "seconds": report.seconds,
        "checks": [
            {
                "name": each.name,
                "category": each.category,
                "result": each.result,
                "message": each.message,
                "advice": each.advice or None,
            }
            for each in report.checks
        ],
    }
