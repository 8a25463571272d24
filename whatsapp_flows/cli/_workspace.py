"""What the commands for a `flows.toml` share: their options, the workspace, and a client for its account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.text import Text

from .._inert import inert
from ..client import FlowsClient
from ..sync import Lock, Workspace, find_config, read_workspace
from ._app import App
from ._progress import ProgressReporter

F = TypeVar("F", bound=Callable[..., Any])


def workspace_options(command: F) -> F:
    """`--config`, `--env` and `--flow`, as the arguments `config`, `env` and `chosen`."""
    options = (
        click.option(
            "--config", metavar="FILE", type=click.Path(path_type=Path),
            help="The flows.toml or pyproject.toml to use. Default: ./flows.toml.",
        ),
        click.option("--env", metavar="NAME", help="Environment: the table [env.NAME] of the file."),
        click.option(
            "--flow", "chosen", metavar="NAME", multiple=True, help="Only this flow, by key or name; repeatable."
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def config_file(config: Path | None) -> Path:
    """The file given with --config, else the one of the current directory."""
    return config or find_config(Path())


def open_workspace(config: Path | None, env: str | None, chosen: tuple[str, ...] = ()) -> Workspace:
    """Read the file. Raises `ConfigurationError` if it or a file that it names is invalid."""
    return read_workspace(config_file(config), env, only=chosen)


@contextmanager
def client_for(app: App, progress: ProgressReporter, workspace: Workspace) -> Iterator[FlowsClient]:
    """
    A client for the workspace's account. The warnings of the workspace are printed first.

    The account in the file overrides the environment variable. A different --waba-id is a usage error, so that a plan
    for one environment is never applied to the account of another.
    """
    account, option = workspace.account_id, app.options.get("waba_id")
    if account is not None and option not in {None, account}:
        where = f" in the environment {workspace.environment!r}" if workspace.environment else ""
        raise click.UsageError(f"--waba-id {option}: {workspace.source} names account {account}{where}.")
    with app.client(progress, account=account is None) as client:
        for warning in workspace.warnings:
            progress.print_line(Text(inert(f"note: {warning}")))
        yield client if account is None else client.with_options(waba_id=account)


def lock_for(workspace: Workspace, client: FlowsClient) -> Lock:
    """The lock file of the workspace, for the client's account."""
    return Lock(workspace.lock_file, account_id=client.waba_id, environment=workspace.environment)


def read_lock(workspace: Workspace, client: FlowsClient, progress: ProgressReporter) -> Lock:
    """The lock file, for a command that changes nothing. If it is that of another account, a note is printed."""
    lock = lock_for(workspace, client)
    if lock.other_account:
        progress.print_line(Text(inert(f"note: {other_account_message(lock, client)}")))
    return lock


def other_account_message(lock: Lock, client: FlowsClient) -> str:
    """The message about a lock file of another account, with both ids."""
    return (
        f"the lock file belongs to account {lock.other_account}, and this is account {client.waba_id}. "
        "Nothing was deployed to this account from here."
    )
