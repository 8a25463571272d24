"""`emulate`: Meta's Flows API on this machine, for clients in any language."""

from __future__ import annotations

import json
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TextIO

import click
from rich.text import Text

from .._inert import inert
from ..errors import ConfigurationError
from ._app import App
from ._json import Json, as_json
from ._line_log import LineLog
from ._options import Command
from ._text import Lines, as_text
from ._values import Stopped, Value

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MAX_FILE_BYTES: Final = 1024 * 1024  # of a file of faults, tokens or a secret
_MAX_PATH_CHARS: Final = 200  # of a path in the request log
_FAULT_SPEC: Final = re.compile(r"([a-z_]+):([0-9]{1,9})(?:/([0-9]{1,9}))?(?::([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorStarted(Value):
    """A running emulator: its first account and phone number, and what the command line added."""

    url: str
    waba_id: str
    phone_number_id: str
    accounts: Sequence[str] = ()
    phone_numbers: Sequence[str] = ()
    faults: Sequence[str] = ()
    any_token: bool = True


def import_emulator() -> ModuleType:
    """The emulator package. Raises `UsageError` without its extra."""
    try:
        from .. import emulator  # noqa: PLC0415
    except ImportError as missing:
        raise click.UsageError(f"{missing}.") from None
    return emulator


@click.command(cls=Command, api=False)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="NAME", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N",
              help="Port to listen on. Default: a free port.")  # fmt: skip
@click.option("--state", "--database", "database", metavar="FILE", help="Keep the state in this SQLite file.")
@click.option("--waba-id", metavar="ID", help="Id of the first account.")
@click.option("--account", "accounts", multiple=True, metavar="ID[:BUSINESS]", help="Add an account; repeatable.")
@click.option(
    "--phone-number", "numbers", multiple=True, metavar="ID[:ACCOUNT]",
    help="Phone number of the first account, instead of its default one, or of another account; repeatable.",
)  # fmt: skip
@click.option("--token-file", metavar="FILE", help="Accept only the tokens in FILE, one a line; - for stdin.")
@click.option("--app-secret-file", metavar="FILE", help="Require an appsecret_proof made with the secret in FILE.")
@click.option("--calls-per-hour", type=click.IntRange(min=1), metavar="N",
              help="Rate limit of an account; further calls fail with 80008.")  # fmt: skip
@click.option("--page-size", type=click.IntRange(min=1), default=25, metavar="N", show_default=True,
              help="Items of a page if the request has no limit.")  # fmt: skip
@click.option("--cdn-host", metavar="NAME", help="Host name in download links.")
@click.option(
    "--download-lifetime", type=click.FloatRange(min=0, min_open=True), default=300, metavar="SECONDS",
    show_default=True, help="Lifetime of download links.",
)  # fmt: skip
@click.option(
    "--allow-host", "allowed_hosts", multiple=True, metavar="NAME",
    help="Also accept this name in the Host header; repeatable.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, metavar="N", show_default=True, help="Seed of random faults and of links.")
@click.option(
    "--fail", "faults", multiple=True, metavar="OPERATION:CODE[/SUBCODE][:TIMES]",
    help="Make calls fail, such as update_flow_json:139001/4016012:2; repeatable.",
)  # fmt: skip
@click.option("--faults", "file", metavar="FILE", help="Read faults of any kind from a TOML or JSON file.")
@click.option("--quiet", is_flag=True, help="Do not log requests.")
@click.pass_obj
def emulate(
    app: App, /, *, accounts: tuple[str, ...], numbers: tuple[str, ...], faults: tuple[str, ...], file: str | None,
    quiet: bool, **settings: Any,
) -> Stopped:  # fmt: skip
    """Run an emulator of Meta's Flows API until Ctrl-C."""
    emulator = import_emulator()
    any_token = settings["token_file"] is None
    address = f"{settings['host']}:{settings['port']}"
    with _as_cli_errors(address):
        rules = [_parse_fault(emulator, spec) for spec in faults]
        from_file = [] if file is None else _read_faults(emulator, app, file)

        def on_ready(meta: Any) -> None:
            _add_accounts(meta, accounts, numbers)
            for rule in (*rules, *from_file):
                meta.add_fault(rule)
            shown_faults = [*faults, *([f"{len(from_file)} of {file}"] if file else [])]
            app.show(
                EmulatorStarted(
                    url=meta.url,
                    waba_id=meta.waba_id,
                    phone_number_id=meta.phone_number_id,
                    accounts=accounts,
                    phone_numbers=numbers,
                    faults=shown_faults,
                    any_token=any_token,
                )
            )
            app.stdout.flush()

        emulator.serve(
            on_request=None if quiet else RequestLog(app.stderr), on_ready=on_ready, stop=app.stop,
            **_server_settings(app, numbers, **settings),
        )  # fmt: skip
    return Stopped()


def _server_settings(
    app: App, numbers: Sequence[str], *, token_file: str | None, app_secret_file: str | None, waba_id: str | None,
    **settings: Any,
) -> dict[str, Any]:  # fmt: skip
    """The options as arguments of `emulator.serve`, which has defaults for those that are None."""
    optional = {
        "waba_id": waba_id,
        "phone_number_ids": [number for number in numbers if ":" not in number] or None,
        "tokens": None if token_file is None else _read_tokens(app, token_file),
        "app_secret": None if app_secret_file is None else _read_secret(app, app_secret_file),
    }
    return settings | {name: value for name, value in optional.items() if value is not None}


@contextmanager
def _as_cli_errors(address: str) -> Iterator[None]:
    """Errors of the emulator about its arguments, and about the address to listen on, as errors of the user."""
    try:
        yield
    except (ValueError, LookupError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise click.UsageError(f"{error.args[0] if error.args else error}.") from None
    except BrokenPipeError:  # of stdout, from `App.show`
        raise
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {address}: {error.strerror or error}.") from None


def _add_accounts(meta: Any, accounts: Sequence[str], numbers: Sequence[str]) -> None:
    for account in accounts:
        account_id, _, business = account.partition(":")
        meta.add_account(account_id, **({"business_id": business} if business else {}))
    for number in numbers:
        number_id, _, account_id = number.partition(":")
        if account_id:
            meta.add_phone_number(number_id, waba_id=account_id)


class RequestLog:
    """
    Writes a line for each request: time (UTC), method, path, operation, status.

    Query and headers are left out, because they hold tokens.
    """

    def __init__(self, stream: TextIO) -> None:
        self._lines = LineLog(stream)

    def __call__(self, request: Any) -> None:
        """Write the line of a request."""
        at = datetime.fromtimestamp(request.at, timezone.utc).strftime("%H:%M:%S")
        path = inert(request.path[:_MAX_PATH_CHARS])
        status = "reset" if request.status is None else request.status
        self._lines.write(f"{at} {inert(request.method[:20])} {path} {request.operation or '-'} {status}")


def _parse_fault(emulator: ModuleType, spec: str) -> Any:
    """A fault of the command line: `update_flow_json:139001/4016012:2`."""
    found = _FAULT_SPEC.fullmatch(spec)
    if found is None:
        raise click.UsageError(f"--fail {spec!r}: it must look like update_flow_json:139001/4016012:2.")
    operation, code, subcode, times = found.groups()
    return emulator.FaultRule(
        operation=operation,
        code=int(code),
        subcode=int(subcode) if subcode else None,
        times=int(times) if times else None,
    )


def _read_faults(emulator: ModuleType, app: App, file: str) -> Sequence[Any]:
    """The faults in a file: TOML if its name ends in .toml, else JSON."""
    text = _read_text(app, file)
    toml = file.lower().endswith(".toml")
    try:
        content = tomllib.loads(text) if toml else json.loads(text)
    except RecursionError:
        raise click.UsageError(f"{file}: it is nested too deeply.") from None
    except ValueError as mistake:
        raise click.UsageError(f"{file}: not {'TOML' if toml else 'JSON'}: {mistake}.") from None
    try:
        rules: Sequence[Any] = emulator.read_faults(content)
    except ValueError as mistake:
        raise click.UsageError(f"{file}: {mistake}.") from None
    return rules


def _read_tokens(app: App, file: str) -> list[str]:
    tokens = [line.strip() for line in _read_text(app, file).splitlines() if line.strip()]
    if not tokens:
        raise click.UsageError(f"{file}: the file holds no token.")
    return tokens


def _read_secret(app: App, file: str) -> str:
    secret = _read_text(app, file).strip()
    if not secret:
        raise click.UsageError(f"{file}: the file holds no app secret.")
    return secret


def _read_text(app: App, file: str) -> str:
    """The text of a small regular file, or of stdin for `-`."""
    if file != "-":
        try:
            found = Path(file).stat()
        except OSError as failure:
            raise ConfigurationError(f"{file} cannot be read: {failure.strerror}.") from None
        if not stat.S_ISREG(found.st_mode):
            raise ConfigurationError(f"{file} cannot be read: it is not a regular file.")
        if found.st_size > _MAX_FILE_BYTES:
            raise ConfigurationError(f"{file} cannot be read: it is larger than {_MAX_FILE_BYTES} bytes.")
    try:
        return app.read(file).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} cannot be read: it is not UTF-8.") from None


# -- output


@as_text.register
def _(value: EmulatorStarted) -> Lines:
    yield Text.assemble("Emulating Meta's Flows API at ", (value.url, "bold"))
    yield Text(f"  account {value.waba_id}, phone number {value.phone_number_id}")
    for kind, added in (
        ("account", value.accounts), ("phone number", value.phone_numbers), ("fault", value.faults)
    ):  # fmt: skip
        for each in added:
            yield Text(f"  {kind} {inert(each)}")
    yield Text()
    variables = {
        "BASE_URL": value.url,
        "WABA_ID": value.waba_id,
        "PHONE_NUMBER_ID": value.phone_number_id,
        "ACCESS_TOKEN": "emulated",
    }
    for name, text in variables.items():
        if value.any_token or name != "ACCESS_TOKEN":
            yield Text(f"export WHATSAPP_FLOWS_{name}={text}")
    yield Text()
    yield Text("Press Ctrl-C to stop.", style="dim")


@as_json.register
def _(value: EmulatorStarted) -> Json:
    return {
        "url": value.url,
        "waba_id": value.waba_id,
        "phone_number_id": value.phone_number_id,
        "accounts": list(value.accounts),
        "phone_numbers": list(value.phone_numbers),
        "faults": list(value.faults),
    }
