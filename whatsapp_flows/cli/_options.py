"""The options that every command knows, and a --help that writes to the run's own stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from .._version import __version__
from ._app import App, NoCommand


def _remember(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Keep what was said; what stands after the command wins over what stands before it."""
    app = context.find_object(App)
    if app is not None and parameter.name and value is not None and value is not False:
        app.given[parameter.name] = value


def _write(text: Callable[[click.Context], str]) -> Callable[[click.Context, click.Parameter, bool], None]:
    """A callback that writes a text to stdout and ends the run."""

    def write(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
        app = context.find_object(App)
        if asked and app is not None and not context.resilient_parsing:
            app.stdout.write(text(context).rstrip() + "\n")
            context.exit()

    return write


def _help() -> click.Option:
    return click.Option(
        ["-h", "--help"], is_flag=True, is_eager=True, expose_value=False, help="Show this text and end.",
        callback=_write(lambda context: context.get_help()),
    )  # fmt: skip


def _version() -> click.Option:
    return click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, help="Show the version and end.",
        callback=_write(lambda context: f"whatsapp-flows {__version__}"),
    )  # fmt: skip


def _json() -> click.Option:
    return click.Option(
        ["--json"], is_flag=True, expose_value=False, callback=_remember, help="Write JSON, for machines."
    )  # fmt: skip


def attempts_option() -> click.Option:
    """`--max-attempts`."""
    return click.Option(
        ["--max-attempts"], type=click.IntRange(min=0), metavar="N", expose_value=False,
        callback=_remember, help="Send a call at most N times (3).",
    )  # fmt: skip


def _api() -> list[click.Option]:
    def option(name: str, metavar: str, text: str, kind: click.ParamType[Any] | None = None) -> click.Option:
        return click.Option([name], metavar=metavar, type=kind, expose_value=False, callback=_remember, help=text)

    file = click.Path(exists=True, dir_okay=False, allow_dash=True)
    return [
        attempts_option(),
        option("--timeout", "SECONDS", "Wait that long for an answer (30).", click.FloatRange(min=0, min_open=True)),
        option("--waba-id", "ID", "The WhatsApp Business Account."),
        option("--base-url", "URL", "Where the API is."),
        option("--api-version", "vN.N", "The version of the API."),
        option("--token-file", "FILE", "Read the access token from FILE, or from stdin for -.", file),
    ]


class Command(click.Command):
    """A command with the options that all have. `api`: it calls Meta."""

    def __init__(self, *, api: bool = True, extra: Sequence[click.Option] = (), **settings: Any) -> None:
        super().__init__(add_help_option=False, **settings)
        self.params += [*extra, *(_api() if api else []), _json(), _help()]


class Group(click.Group):
    """A group of such commands; without one it shows its help, as wrong usage."""

    command_class = Command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with its whole first sentence, on as many lines as it takes."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        with formatter.section("Commands"):
            formatter.write_dl([(name, it.get_short_help_str(limit=1000)) for name, it in commands if it is not None])

    def __init__(self, *, version: bool = False, **settings: Any) -> None:
        super().__init__(add_help_option=False, invoke_without_command=True, callback=_needs_command, **settings)
        self.params += [*_api(), _json(), *([_version()] if version else []), _help()]


def _needs_command() -> None:
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        raise NoCommand(context.get_help(), context)
