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
        ["--json"], is_flag=True, expose_value=False, callback=_store_option, help="Write JSON to stdout."
    )  # fmt: skip


def attempts_option() -> click.Option:
    """`--max-attempts`."""
    return _stored("--max-attempts", "N", "Attempts per call in total.", click.IntRange(min=0), default="3")


def _stored(
    name: str, metavar: str, help_text: str, kind: click.ParamType[Any] | None = None, *, default: str | None = None
) -> click.Option:
    """An option that is stored in the run. `default` is only shown: the client has the default."""
    if default is not None:
        help_text = f"{help_text} Default: {default}."
    return click.Option(
        [name], metavar=metavar, type=kind, expose_value=False, callback=_store_option, help=help_text
    )  # fmt: skip


def _api() -> list[click.Option]:
    file = click.Path(exists=True, dir_okay=False, allow_dash=True)
    return [
        attempts_option(),
        _stored("--timeout", "SECONDS", "Connect and read timeout.", click.FloatRange(0, min_open=True), default="30"),
        _stored("--waba-id", "ID", "Id of the WhatsApp Business Account."),
        _stored("--base-url", "URL", "Base URL of the Graph API."),
        _stored("--api-version", "vN.N", "Version of the Graph API."),
        _stored("--token-file", "FILE", "Read the access token from FILE; - for stdin.", file),
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
        """List the commands by section, each with its complete first sentence; click would cut it to one line."""
        for title, names in self._sections.items() or [("Commands", self.list_commands(ctx))]:
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(limit=1000)) for name in names])

    def __init__(self, *, version: bool = False, **settings: Any) -> None:
        super().__init__(add_help_option=False, invoke_without_command=True, callback=_require_command, **settings)
        self.params += [*_api(), _json(), *([_version()] if version else []), _help()]
        self._sections: dict[str, list[str]] = {}

    def add_section(self, title: str, *commands: click.Command) -> None:
        """Add commands under a title of their own in the help."""
        for command in commands:
            self.add_command(command)
        self._sections[title] = [str(command.name) for command in commands]


def _require_command() -> None:
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        raise MissingCommandError(context.get_help(), context)
