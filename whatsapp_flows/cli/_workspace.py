"""What the commands that work with a `flows.toml` share: their options, the workspace, and a client for its account."""

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
from ._progress import Narrator

F = TypeVar("F", bound=Callable[..., Any])


def workspace_options(command: F) -> F:
    """`--config`, `--env` and `--flow`, as the arguments `config`, `env` and `chosen`."""
    options = (
        click.option(
            "--config", metavar="FILE", type=click.Path(path_type=Path),
            help="The flows.toml or pyproject.toml to read (./flows.toml).",
        ),
        click.option("--env", metavar="NAME", help="The environment: [env.NAME] of that file."),
        click.option(
            "--flow", "chosen", metavar="NAME", multiple=True, help="Only this flow, by its key or name; repeatable."
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def config_file(config: Path | None) -> Path:
    """The file that is meant: the one that was named, else the one of the current directory."""
    return config or find_config(Path())


def open_workspace(config: Path | None, env: str | None, chosen: tuple[str, ...] = ()) -> Workspace:
    """What the file wants. Raises `ConfigurationError` for a mistake in it, or in a file that it names."""
    return read_workspace(config_file(config), env, only=chosen)


@contextmanager
def client_for(app: App, narrator: Narrator, workspace: Workspace) -> Iterator[FlowsClient]:
    """
    A client for the workspace's account; the reader's warnings are told first.

    The account that the file names wins over the one of the process's environment, and may not be contradicted on the
    command line: a plan for staging must never meet the live account.
    """
    account, said = workspace.account_id, app.given.get("waba_id")
    if account is not None and said not in {None, account}:
        where = f" in the environment {workspace.environment!r}" if workspace.environment else ""
        raise click.UsageError(f"{workspace.source} is for account {account}{where}, and --waba-id says {said}.")
    with app.client(narrator, account=account is None) as client:
        for warning in workspace.warnings:
            narrator.say(Text(inert(f"note: {warning}")))
        yield client if account is None else client.with_options(waba_id=account)


def lock_for(workspace: Workspace, client: FlowsClient) -> Lock:
    """The lock file of the workspace, for the client's account."""
    return Lock(workspace.lock_file, account_id=client.waba_id, environment=workspace.environment)


def read_lock(workspace: Workspace, client: FlowsClient, narrator: Narrator) -> Lock:
    """The same for a command that only looks: that the file is about another account is told first."""
    lock = lock_for(workspace, client)
    if lock.other_account:
        narrator.say(Text(inert(f"note: {about_another(lock, client)}")))
    return lock


def about_another(lock: Lock, client: FlowsClient) -> str:
    """What is said of a lock file of another account, with both ids."""
    return (
        f"this is account {client.waba_id}, and the lock file is about account {lock.other_account}: "
        "nothing was deployed to this account from here."
    )
