"""`upgrade`: files in an older version of Flow JSON, rewritten to a newer one, as a diff or in place."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from .._files import replace_file
from .._inert import inert
from ..errors import ConfigurationError
from ..flow_json import Report, Upgrade, dump_in_style, upgrade, validate
from ._app import App
from ._json import Json, as_json
from ._options import Command
from ._sources import STDIN, read_sources, skipped_line
from ._text import Lines, as_text
from ._values import Value

_FIRST: Final = 3  # errors that are shown
_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """One file: what it was, what it is or would be, and what the validator says of that."""

    file: Path
    before: str = field(repr=False)
    after: str = field(repr=False)
    upgrade: Upgrade
    report: Report
    written: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrades(Value):
    """All files of a run; `skipped` are names of files in folders that are plainly no Flow JSON."""

    files: Sequence[Upgraded]
    skipped: Sequence[str] = ()

    @property
    def exit_code(self) -> int:
        """1 when something is left to decide."""
        return int(any(file.upgrade.undecided for file in self.files))


@click.command("upgrade", cls=Command, api=False)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--to", "version", metavar="VERSION", default="7.3", show_default=True, help="The version to reach.")
@click.option("--write", is_flag=True, help="Write the files; without it nothing is written.")
@click.pass_obj
def upgrade_command(app: App, paths: tuple[str, ...], version: str, write: bool) -> Upgrades:
    """
    Rewrite Flow JSON files to a newer version, and tell what it cannot decide.

    PATH is a file, a folder (the Flow JSONs below it) or a pattern. Shows a diff, the changes, and what is left to
    decide; the exit code is then 1. Nothing is written if one of the files cannot be upgraded.
    """
    if STDIN in paths:
        raise click.UsageError("a file is upgraded, not standard input: name one.")
    sources = read_sources(app, paths)
    files = [_upgraded(Path(name), content, version, write=write) for name, content in sources.files.items()]
    for file in files:
        if file.written:
            replace_file(file.file, file.after.encode())
    return Upgrades(files=files, skipped=sources.skipped)


def _upgraded(path: Path, content: bytes, version: str, *, write: bool) -> Upgraded:
    try:
        result = upgrade(content, version)
    except ConfigurationError as mistake:
        raise ConfigurationError(f"{path}: {mistake.details.message}") from None
    before = content.decode()
    after = dump_in_style(before, result.document) if result.changed else before
    report = validate(after)
    return Upgraded(
        file=path, before=before, after=after, upgrade=result, report=report, written=write and result.changed
    )


def _diff(file: Upgraded) -> list[str]:
    """The lines of a unified diff, without their ends."""
    old, new = ([line.removesuffix("\r") for line in text.split("\n")] for text in (file.before, file.after))
    return list(difflib.unified_diff(old, new, str(file.file), str(file.file), lineterm=""))


# -- how it is shown


@as_text.register
def _(value: Upgrades) -> Lines:
    for number, file in enumerate(value.files):
        if number:
            yield Text()
        for line in _diff(file):
            yield Text("\t".join(inert(part) for part in line.split("\t")), style=_STYLES.get(line[:1], ""))
        yield from _summary(file)
    if value.skipped:
        yield Text()
        yield Text(skipped_line(value.skipped))


def _summary(file: Upgraded) -> Lines:
    result, errors = file.upgrade, file.report.errors
    name = inert(str(file.file))
    if result.changed:
        done = "upgraded" if file.written else "would be upgraded"
        yield Text.assemble((f"{name}: ", "bold"), f"{done} from {result.from_version} to {result.to_version}")
    else:
        yield Text.assemble((f"{name}: ", "bold"), f"is of version {result.to_version} already")
    for change in result.changes:
        values = " -> ".join(each for each in (change.before, change.after) if each is not None)
        yield Text(f"  changed {inert(change.pointer)}: {inert(change.what)} ({inert(values)})")
    for point in result.undecided:
        yield Text(f"  to decide {inert(point.pointer)}: {inert(point.what)}", style="yellow")
    if errors:
        yield Text(f"  {len(errors)} error{'' if len(errors) == 1 else 's'} in the result:", style="bold red")
        for issue in errors[:_FIRST]:
            place = f"{name}:{issue.line_start}:{issue.column_start}"
            yield Text(f"    {place} {inert(issue.error)}: {inert(issue.message)}")
        if len(errors) > _FIRST:
            yield Text(f"    and {len(errors) - _FIRST} more")


@as_json.register
def _(value: Upgrades) -> Json:
    return {"files": [_file_as_json(file) for file in value.files], "skipped": list(value.skipped)}


def _file_as_json(file: Upgraded) -> Json:
    result = file.upgrade
    return {
        "file": str(file.file),
        "from": str(result.from_version),
        "to": str(result.to_version),
        "changed": result.changed,
        "written": file.written,
        "changes": [
            {"path": each.pointer, "what": each.what, "before": each.before, "after": each.after}
            for each in result.changes
        ],
        "undecided": [{"path": each.pointer, "what": each.what} for each in result.undecided],
        "diff": "\n".join(_diff(file)),
        "errors": [
            {"error": each.error, "message": each.message, "line": each.line_start, "column": each.column_start}
            for each in file.report.errors
        ],
    }
