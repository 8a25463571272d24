"""The options that all commands have in common, and the classes of commands and groups that add them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from .._version import __version__
from ._app import App, MissingCommandError


def _store_option(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Store an option in the run. After the command it overrides the same option before the command."""
    app = context.find_object(App)
    if app is not None and parameter.name and value is not None and value is not False:
        app.options[parameter.name] = value


def _write(text: Callable[[click.Context], str]) -> Callable[[click.Context, click.Parameter, bool], None]:
    """A callback that writes a text to the stdout of the run and ends the run."""

    def write(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
        app = context.find_object(App)
        if asked and app is not None and not context.resilient_parsing:
            app.stdout.write(text(context).rstrip() + "\n")
            context.exit()

    return write


def _help() -> click.Option:
    return click.Option(
        ["-h", "--help"], is_flag=True, is_eager=True, expose_value=False, help="Show this help and exit.",
        callback=_write(lambda context: context.get_help()),
    )  # fmt: skip


def _version() -> click.Option:
    return click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, help="Show the version and exit.",
        callback=_write(lambda context: f"whatsapp-flows {__version__}"),
    )  # fmt: skip


def _json() -> click.Option:
    return click.Option(
        ["--json"], is_flag=True, expose_value=False, callback=_store_option, help="Write JSON."
    )  # fmt: skip


def attempts_option() -> click.Option:
    """`--max-attempts`."""
    return click.Option(
        ["--max-attempts"], type=click.IntRange(min=0), metavar="N", expose_value=False,
        callback=_store_option, help="Attempts per call, the first included (3).",
    )  # fmt: skip


def _api() -> list[click.Option]:
    def option(name: str, metavar: str, text: str, kind: click.ParamType[Any] | None = None) -> click.Option:
        return click.Option([name], metavar=metavar, type=kind, expose_value=False, callback=_store_option, help=text)

    file = click.Path(exists=True, dir_okay=False, allow_dash=True)
    return [
        attempts_option(),
        option("--timeout", "SECONDS", "Timeout for a response (30).", click.FloatRange(min=0, min_open=True)),
        option("--waba-id", "ID", "WhatsApp Business Account id."),
        option("--base-url", "URL", "Base URL of the Graph API."),
        option("--api-version", "vN.N", "Graph API version."),
        option("--token-file", "FILE", "Read the access token from FILE; - for stdin.", file),
    ]


class Command(click.Command):
    """A command with the common options. `api`: it calls Meta, and has the options for that too."""

    def __init__(self, *, api: bool = True, extra: Sequence[click.Option] = (), **settings: Any) -> None:
        super().__init__(add_help_option=False, **settings)
        self.params += [*extra, *(_api() if api else []), _json(), _help()]


class Group(click.Group):
    """A group of commands. Without a command it shows its help, as a usage error."""

    command_class = Command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List each command with its complete first sentence; click would cut it to one line."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        with formatter.section("Commands"):
            formatter.write_dl([(name, it.get_short_help_str(limit=1000)) for name, it in commands if it is not None])

    def __init__(self, *, version: bool = False, **settings: Any) -> None:
        super().__init__(add_help_option=False, invoke_without_command=True, callback=_require_command, **settings)
        self.params += [*_api(), _json(), *([_version()] if version else []), _help()]


def _require_command() -> None:
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        raise MissingCommandError(context.get_help(), context)
