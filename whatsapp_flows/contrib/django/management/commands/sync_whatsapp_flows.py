"""`manage.py sync_whatsapp_flows`: deploys the active flows, or the named ones, to Meta."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from types import FrameType
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.db import router

from ....._documents import VALIDATION_MODES
from ....._inert import inert
from .....errors import FlowsError
from ...conf import read_settings
from ...definitions import Definition, load_definitions, read_definitions
from ...models import WhatsAppFlow
from ...services import SyncResult, sync_flows


class Command(BaseCommand):
    """Exits with 0 on success, with 1 when a flow is not deployed as desired, and with 2 for wrong usage."""

    requires_system_checks = ()  # it validates the settings and each flow itself, and would report everything twice
    help = "Deploy the active WhatsApp flows to Meta: create, upload and publish what has changed, and nothing else."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The six options."""
        parser.add_argument(
            "--flow",
            action="append",
            default=[],
            metavar="NAME",
            help="sync only this flow; may be given several times",
        )
        parser.add_argument("--publish", action="store_true", help="publish the flows")
        parser.add_argument(
            "--force",
            action="store_true",
            help="include rows that another process has marked as syncing, and allow many changes at once",
        )
        parser.add_argument(
            "--validate",
            choices=VALIDATION_MODES,
            help="flows whose Flow JSON has errors: error skips them, warn and off send them; default: the settings",
        )
        parser.add_argument(
            "--new-account",
            action="store_true",
            help="deploy to the account of the settings although the flows were deployed to another one before",
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would be done, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sync, and print the result for each flow."""
        try:
            rows = _rows(options["flow"], save=not options["dry_run"])
            with _ended_by_sigterm():
                results = sync_flows(
                    rows, publish=options["publish"], force=options["force"], dry_run=options["dry_run"],
                    validate=options["validate"], new_account=options["new_account"],
                )  # fmt: skip
        except FlowsError as error:
            raise CommandError(inert(str(error))) from None
        if not results:
            self.stdout.write("There are no active flows.")
        for result in results:
            self._print(result, dry_run=options["dry_run"])
        failed = sum(not result.ok for result in results)
        if failed:
            raise CommandError(f"{failed} of {len(results)} flows {'is' if failed == 1 else 'are'} not as wanted.")

    def _print(self, result: SyncResult, *, dry_run: bool) -> None:
        name = inert(result.name)
        if not result.ok:
            problem = "\n  ".join(inert(line) for line in result.problem.splitlines())
            self.stderr.write(f"{name}: {inert(result.action)}: {problem}")
            return
        facts = [f"id {inert(result.flow_id)}"] if result.flow_id else []
        facts += [inert(result.status)] if result.status else []
        facts += [f"{result.attempts} attempts"] if result.attempts > 1 else []
        prefix = "would be: " if dry_run else ""
        suffix = f" ({', '.join(facts)})" if facts else ""
        self.stdout.write(f"{name}: {prefix}{result.action}{suffix}")


def _rows(names: list[str], *, save: bool) -> list[WhatsAppFlow]:
    """The selected rows, updated from the definitions in Python."""
    definitions = {each["name"]: each for each in read_definitions(read_settings())}
    existing = {row.name: row for row in WhatsAppFlow.objects.using(router.db_for_write(WhatsAppFlow))}
    for name in names:
        if name not in definitions and name not in existing:
            raise CommandError(_unknown(name, sorted({*definitions, *existing})), returncode=2)
        if name in existing and not existing[name].is_active:
            raise CommandError(f"The flow {inert(name)} is not active.", returncode=2)
    inactive = {name for name, row in existing.items() if not row.is_active}
    chosen = dict.fromkeys(names or sorted({*definitions, *existing} - inactive))
    loaded: list[Definition] = [each for name, each in definitions.items() if name in chosen]
    current = {**existing, **{row.name: row for row in load_definitions(loaded, save=save)}}
    return [current[name] for name in chosen]


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f": did you mean {inert(close[0])}?" if close else f"; known are {inert(', '.join(known[:10])) or 'none'}."
    return f"There is no flow {inert(name)}{hint}"


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Make SIGTERM end the waits and mark the rows, as Ctrl-C does. Only the main thread can set a signal handler."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
