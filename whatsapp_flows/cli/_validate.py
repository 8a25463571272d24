"""`validate`: find the errors in Flow JSON files that Meta would report, without sending anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import click
from click.core import ParameterSource
from rich.text import Text

from ..flow_json import Report, validate
from ._app import App
from ._formats import RENDERERS, Checked, render_text, summary
from ._json import Json, as_json
from ._options import Command
from ._sources import STDIN, read_sources, skipped_summary
from ._text import Lines, as_text
from ._values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationReport(Value):
    """The issues in each file. `skipped`: JSON files that are not Flow JSON."""

    files: tuple[Checked, ...]
    skipped: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 if there is an error. Warnings do not count."""
        return int(not all(file.report.ok for file in self.files))


@as_text.register
def _(value: ValidationReport) -> Lines:
    for file in value.files:
        if file.report.issues:
            yield Text(render_text(file), no_wrap=True, overflow="ignore")
    yield Text(summary(value.files) + (f" {skipped_summary(value.skipped)}" if value.skipped else ""))


@as_json.register
def _(value: ValidationReport) -> Json:
    return {
        "ok": not value.exit_code,
        "errors": sum(len(file.report.errors) for file in value.files),
        "warnings": sum(len(file.report.warnings) for file in value.files),
        "files": [_file(file) for file in value.files],
        "skipped": list(value.skipped),
    }


def _file(file: Checked) -> Json:
    return {
        "file": file.name,
        "ok": file.report.ok,
        "version": None if file.report.version is None else str(file.report.version),
        "issues": [
            {
                "severity": issue.severity,
                "error": issue.error,
                "rule": issue.rule,
                "message": issue.message,
                "line": issue.line_start,
                "column": issue.column_start,
                "end_line": issue.line_end,
                "end_column": issue.column_end,
                "path": issue.pointers[0].path if issue.pointers else None,
                "also_at": [
                    {"line": pointer.line_start, "column": pointer.column_start, "path": pointer.path}
                    for pointer in issue.pointers[1:]
                ],
            }
            for issue in file.report.issues
        ],
    }


@click.command("validate", cls=Command, api=False)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--format", "format_", type=click.Choice(["text", "json", *RENDERERS]), default="text", show_default=True,
    help="Output format.",
)  # fmt: skip
@click.option("--no-advice", is_flag=True, help="Report only what Meta documents, no advice.")
@click.option("--select", metavar="CODES", multiple=True, help="Report only these codes or rules: A,B; repeatable.")
@click.option("--ignore", metavar="CODES", multiple=True, help="Ignore these codes or rules: A,B; repeatable.")
@click.option("--skip-others", is_flag=True, help="Skip files that are not Flow JSON, also if given by name.")
@click.option("--as-version", metavar="N.N", help="Validate against this Flow JSON version.")
@click.pass_context
def validate_command(
    context: click.Context,
    paths: tuple[str, ...],
    format_: str,
    no_advice: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    skip_others: bool,
    as_version: str | None,
) -> ValidationReport:
    """
    Validate Flow JSON files as Meta does. Sends nothing.

    PATH is a file, a folder (all *.json below it), a pattern such as 'flows/**/*.json', or - for stdin. JSON files in
    a folder that are not Flow JSON (lock files, plans, package.json) are skipped. Exits with 0 if there are no errors,
    1 if there are, 2 if a file cannot be read.
    """
    app = context.ensure_object(App)
    if app.options.get("json"):
        if format_ != "json" and context.get_parameter_source("format_") is not ParameterSource.DEFAULT:
            raise click.UsageError(f"give --json or --format {format_}, not both.")
        format_ = "json"
    elif format_ == "json":
        app.options["json"] = True
    selected, ignored = _codes("--select", select), _codes("--ignore", ignore)
    sources = read_sources(app, paths, skip_named=skip_others)
    checked = []
    for file, content in sources.files.items():
        report = validate(content, version=as_version, advice=not no_advice)
        checked.append(Checked("<stdin>" if file == STDIN else file, _filtered(report, selected, ignored)))
    if sources.skipped and format_ in RENDERERS:  # these formats have no place for it
        app.print_line(Text(skipped_summary(sources.skipped)))
    render = RENDERERS.get(format_)
    raw = None if render is None else render(checked).encode(errors="backslashreplace")
    return ValidationReport(files=tuple(checked), skipped=sources.skipped, raw=raw)


def _codes(option: str, given: Iterable[str]) -> frozenset[str]:
    codes = [code.strip().upper() for text in given for code in text.split(",")]
    if not all(codes):
        raise click.UsageError(f"{option} must look like INVALID_ROUTING_MODEL,FJ203.")
    return frozenset(codes)


def _filtered(report: Report, selected: frozenset[str], ignored: frozenset[str]) -> Report:
    """The issues whose code or rule is selected and not ignored."""
    issues = []
    for issue in report.issues:
        names = {issue.error, issue.rule}
        if (not selected or names & selected) and not names & ignored:
            issues.append(issue)
    return Report(tuple(issues), report.version, report.text)
