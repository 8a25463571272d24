"""`emulate`: Meta's Flows API on this machine, for clients in any language."""

from __future__ import annotations

import json
import re
import stat
import sys
import threading
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TextIO

import click

from .._inert import inert
from ..errors import ConfigurationError
from ._app import App
from ._options import Command
from ._values import Serving, Stopped, Value

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MOST_BYTES: Final = 1024 * 1024  # of a file of faults, tokens or a secret
_MOST_SHOWN: Final = 200  # characters of a path in a line of the log
_FAULT: Final = re.compile(r"([a-z_]+):([0-9]{1,9})(?:/([0-9]{1,9}))?(?::([0-9]{1,9}))?")


def emulator_room() -> ModuleType:
    """The emulator, which needs an extra of its own."""
    try:
        from .. import emulator  # noqa: PLC0415
    except ImportError as missing:
        raise click.UsageError(f"{missing}.") from None
    return emulator


@click.command(cls=Command, api=False)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="NAME", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="The port (a free one).")
@click.option("--state", "--database", "state", metavar="FILE", help="Keep the state in this SQLite file.")
@click.option("--waba-id", metavar="ID", help="The id of the first account.")
@click.option("--account", "accounts", multiple=True, metavar="ID[:BUSINESS]", help="One more account; repeatable.")
@click.option(
    "--phone-number", "numbers", multiple=True, metavar="ID[:ACCOUNT]",
    help="A phone number of the first account (in place of its own), or of another; repeatable.",
)  # fmt: skip
@click.option("--token-file", metavar="FILE", help="Take only the tokens in FILE, one a line; - is stdin.")
@click.option("--app-secret-file", metavar="FILE", help="Demand proofs made with the app secret in FILE.")
@click.option("--calls-per-hour", type=click.IntRange(min=1), metavar="N", help="Answer more with 80008.")
@click.option("--page-size", type=click.IntRange(min=1), default=25, metavar="N", help="Items of a page (25).")
@click.option("--cdn-host", metavar="NAME", help="The host name of download links.")
@click.option(
    "--download-lifetime", type=click.FloatRange(min=0, min_open=True), default=300.0, metavar="SECONDS",
    help="How long a download link is good (300).",
)  # fmt: skip
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="Answer to this host name; repeatable.")
@click.option("--seed", type=int, default=0, metavar="N", help="Of chance and of links (0).")
@click.option(
    "--fail", "faults", multiple=True, metavar="OPERATION:CODE[/SUBCODE][:TIMES]",
    help="Let a call fail, as update_flow_json:139001/4016012:2 does twice; repeatable.",
)  # fmt: skip
@click.option("--faults", "file", metavar="FILE", help="Faults of any kind, in TOML or JSON.")
@click.option("--quiet", is_flag=True, help="Say nothing of the requests.")
@click.pass_obj
def emulate(
    app: App,
    /,
    *,
    state: str | None,
    waba_id: str | None,
    accounts: tuple[str, ...],
    numbers: tuple[str, ...],
    token_file: str | None,
    app_secret_file: str | None,
    hosts: tuple[str, ...],
    faults: tuple[str, ...],
    file: str | None,
    quiet: bool,
    **settings: Any,
) -> Value:
    """Serve an emulator of Meta's Flows API, until Ctrl-C."""
    room = emulator_room()
    own = [number for number in numbers if ":" not in number]
    given = {
        "waba_id": waba_id,
        "phone_number_ids": own or None,
        "tokens": None if token_file is None else _lines(app, token_file),
        "app_secret": None if app_secret_file is None else _secret(app, app_secret_file),
    }

    def ready(meta: Any) -> None:
        for account in accounts:
            account_id, _, business = account.partition(":")
            meta.add_account(account_id, **({"business_id": business} if business else {}))
        for number in numbers:
            number_id, _, account_id = number.partition(":")
            if account_id:
                meta.add_phone_number(number_id, waba_id=account_id)
        for rule in rules:
            meta.add_fault(rule)
        app.show(
            Serving(
                url=meta.url,
                waba_id=meta.waba_id,
                phone_number_id=meta.phone_number_id,
                accounts=accounts,
                phone_numbers=numbers,
                faults=[*faults, *([f"{len(rules) - len(faults)} of {file}"] if file else [])],
                any_token=token_file is None,
            )
        )
        app.stdout.flush()

    try:
        rules = [_fault(room, text) for text in faults] + ([] if file is None else list(_read_faults(room, app, file)))
        room.serve(
            database=state,
            allowed_hosts=hosts,
            on_request=None if quiet else RequestLines(app.stderr),
            on_ready=ready,
            stop=app.stop,
            **settings,
            **{name: value for name, value in given.items() if value is not None},
        )
    except (ValueError, LookupError) as mistake:
        raise click.UsageError(f"{mistake.args[0] if mistake.args else mistake}.") from None
    except OSError as failure:
        where = f"{settings['host']}:{settings['port']}"
        raise ConfigurationError(f"{where} cannot be listened on: {failure.strerror or failure}.") from None
    return Stopped()


class RequestLines:
    """
    Writes a line for each request: when (UTC), what, and what it was answered with.

    No query and no header is in it, so there is no token either.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream
        self._lock = threading.Lock()

    def __call__(self, request: Any) -> None:
        """Write the line of a request; nothing more once nobody reads them."""
        at = datetime.fromtimestamp(request.at, timezone.utc).strftime("%H:%M:%S")
        path = inert(request.path[:_MOST_SHOWN])
        status = "reset" if request.status is None else request.status
        with self._lock:
            if self._stream is None:
                return
            try:
                self._stream.write(f"{at} {inert(request.method[:20])} {path} {request.operation or '-'} {status}\n")
                self._stream.flush()
            except (OSError, ValueError):
                self._stream = None


def _fault(room: ModuleType, text: str) -> Any:
    """A fault of the command line: `update_flow_json:139001/4016012:2`."""
    found = _FAULT.fullmatch(text)
    if found is None:
        raise click.UsageError(f"--fail {text!r}: it must look like update_flow_json:139001/4016012:2.")
    operation, code, subcode, times = found.groups()
    return room.FaultRule(
        operation=operation,
        code=int(code),
        subcode=int(subcode) if subcode else None,
        times=int(times) if times else None,
    )


def _read_faults(room: ModuleType, app: App, file: str) -> Sequence[Any]:
    """The rules in a file: TOML when its name says so, JSON otherwise."""
    text = _text(app, file)
    toml = file.lower().endswith(".toml")
    try:
        content = tomllib.loads(text) if toml else json.loads(text)
    except RecursionError:
        raise click.UsageError(f"{file}: it is nested too deeply.") from None
    except ValueError as mistake:
        raise click.UsageError(f"{file}: not {'TOML' if toml else 'JSON'}: {mistake}.") from None
    try:
        rules: Sequence[Any] = room.read_faults(content)
    except ValueError as mistake:
        raise click.UsageError(f"{file}: {mistake}.") from None
    return rules


def _lines(app: App, file: str) -> list[str]:
    lines = [line.strip() for line in _text(app, file).splitlines() if line.strip()]
    if not lines:
        raise click.UsageError(f"{file}: there is no token in it.")
    return lines


def _secret(app: App, file: str) -> str:
    secret = _text(app, file).strip()
    if not secret:
        raise click.UsageError(f"{file}: there is no app secret in it.")
    return secret


def _text(app: App, file: str) -> str:
    """The text of a small file. A pipe without an end, and a file of gigabytes, are not read."""
    if file != "-":
        try:
            found = Path(file).stat()
        except OSError as failure:
            raise ConfigurationError(f"{file} cannot be read: {failure.strerror}.") from None
        if not stat.S_ISREG(found.st_mode):
            raise ConfigurationError(f"{file} cannot be read: it is no regular file.")
        if found.st_size > _MOST_BYTES:
            raise ConfigurationError(f"{file} cannot be read: it is larger than {_MOST_BYTES} bytes.")
    try:
        return app.read(file).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} cannot be read: it is not UTF-8.") from None
