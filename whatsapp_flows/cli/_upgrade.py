"""`upgrade`: rewrite Flow JSON files to a newer version, as a diff or in place."""

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
from ..flow_json import KNOWN_VERSIONS, Report, Upgrade, dump_in_style, parse_version, upgrade, validate
from ._app import App
from ._json import Json, as_json
from ._options import Command
from ._sources import STDIN, read_sources, skipped_summary
from ._text import Lines, as_text
from ._values import Value

_MAX_ERRORS: Final = 3  # of a file that are shown
_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """One file before and after the upgrade, and the validation of the result."""

    file: Path
    before: str = field(repr=False)
    after: str = field(repr=False)
    upgrade: Upgrade
    report: Report
    written: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeReport(Value):
    """All files of a run. `skipped`: JSON files that are not Flow JSON."""

    files: Sequence[Upgraded]
    skipped: Sequence[str] = ()

    @property
    def exit_code(self) -> int:
        """1 if a decision is left to the user."""
        return int(any(file.upgrade.undecided for file in self.files))


@click.command("upgrade", cls=Command, api=False)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--to", "version", metavar="VERSION", default="7.3", show_default=True, help="Version to upgrade to.")
@click.option("--write", is_flag=True, help="Write the files, instead of only showing a diff.")
@click.pass_obj
def upgrade_command(app: App, paths: tuple[str, ...], version: str, write: bool) -> UpgradeReport:
    """
    Rewrite Flow JSON files to a newer version.

    PATH is a file, a folder (all Flow JSON below it) or a pattern. Shows a diff, the changes, and the decisions that
    are left to you; exits with 1 if there are any. Writes nothing if a file cannot be upgraded.
    """
    if parse_version(version) not in KNOWN_VERSIONS:
        raise click.UsageError(f"--to {version!r} is not a version of Flow JSON that this library knows.")
    if STDIN in paths:
        raise click.UsageError("standard input cannot be upgraded: give a file.")
    sources = read_sources(app, paths)
    files = [_upgraded(Path(name), content, version, write=write) for name, content in sources.files.items()]
    for file in files:
        if file.written:
            replace_file(file.file, file.after.encode())
    return UpgradeReport(files=files, skipped=sources.skipped)


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
    """The lines of a unified diff, without line ends."""
    old, new = ([line.removesuffix("\r") for line in text.split("\n")] for text in (file.before, file.after))
    return list(difflib.unified_diff(old, new, str(file.file), str(file.file), lineterm=""))


# -- output


@as_text.register
def _(value: UpgradeReport) -> Lines:
    for number, file in enumerate(value.files):
        if number:
            yield Text()
        for line in _diff(file):
            yield Text("\t".join(inert(part) for part in line.split("\t")), style=_STYLES.get(line[:1], ""))
        yield from _summary(file)
    if value.skipped:
        yield Text()
        yield Text(skipped_summary(value.skipped))


def _summary(file: Upgraded) -> Lines:
    result, errors = file.upgrade, file.report.errors
    name = inert(str(file.file))
    if result.changed:
        action = "upgraded" if file.written else "would be upgraded"
        yield Text.assemble((f"{name}: ", "bold"), f"{action} from {result.from_version} to {result.to_version}")
    else:
        yield Text.assemble((f"{name}: ", "bold"), f"already has version {result.to_version}")
    for change in result.changes:
        values = " -> ".join(each for each in (change.before, change.after) if each is not None)
        yield Text(f"  changed {inert(change.pointer)}: {inert(change.what)} ({inert(values)})")
    for point in result.undecided:
        yield Text(f"  decide {inert(point.pointer)}: {inert(point.what)}", style="yellow")
    if errors:
        yield Text(f"  {len(errors)} error{'' if len(errors) == 1 else 's'} in the result:", style="bold red")
        for issue in errors[:_MAX_ERRORS]:
            place = f"{name}:{issue.line_start}:{issue.column_start}"
            yield Text(f"    {place} {inert(issue.error)}: {inert(issue.message)}")
        if len(errors) > _MAX_ERRORS:
            yield Text(f"    and {len(errors) - _MAX_ERRORS} more")


@as_json.register
def _(value: UpgradeReport) -> Json:
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
