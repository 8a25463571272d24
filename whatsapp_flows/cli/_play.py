"""`play`: a Flow JSON on the command line, automatically or line by line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import click
from rich.text import Text

from .. import play
from .._inert import inert
from ..flow_json import read_flow_json
from ._app import App
from ._json import Json, as_json
from ._options import Command
from ._play_options import app_secret, named_endpoint, read_data, read_public_key
from ._play_screen import heading, indented, screen_lines
from ._sources import read_one_source
from ._text import Lines, as_text, count
from ._values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedAutomatically(Value):
    """What an automatic walk found."""

    outcome: play.Outcome

    @property
    def exit_code(self) -> int:
        """1 if the walk came to no end."""
        return 0 if self.outcome else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedByHand(Value):
    """Where the user has stopped."""

    session: play.Session

    @property
    def exit_code(self) -> int:
        """1 if the user stopped before the end."""
        return 0 if isinstance(self.session.end, play.Complete) else 1


@click.command("play", cls=Command, api=False)
@click.argument("path", metavar="PATH|-")
@click.option("--auto", is_flag=True, help="Fill in and tap without asking, and show the screens and the payload.")
@click.option("--screen", metavar="ID", help="Open on this screen.")
@click.option("--data", metavar="JSON|@FILE", help="Open with this data instead of the screen's examples.")
@click.option("--endpoint", metavar="URL|MODULE:NAME", help="Ask this endpoint.")
@click.option("--public-key", metavar="PEM|FILE", help="Encrypt requests to the endpoint for this public key.")
@click.option("--flow-token", metavar="TEXT", default="test", show_default=True, help="Flow token.")
@click.pass_obj
def play_command(
    app: App, /, *, path: str, auto: bool, screen: str | None, data: str | None, endpoint: str | None,
    public_key: str | None, flow_token: str,
) -> Value:  # fmt: skip
    """
    Play a Flow JSON on the terminal, or have it played automatically.

    PATH is a file, a folder with one Flow JSON, or - for stdin. You see a screen, type what to fill in and to tap, and
    see the next one; ? explains how. With --auto nothing is asked: what is required gets values that fit, and the exit
    code is 1 if no way to an end is found.

    Without --endpoint, requests are answered with the examples of the data models, along the routing model. The
    endpoint is a URL, or an object in a Python module: a FlowEndpoint, an ASGI or WSGI application, or a function that
    takes the decrypted request. Requests to a URL or an application are encrypted with --public-key, and signed with
    WHATSAPP_FLOWS_APP_SECRET; without a key, a URL gets plain JSON, for a server in development.
    """
    flow = play.read_flow(read_flow_json(read_one_source(app, path), argument=path))
    if screen is not None:
        flow.facts.require_screen(screen)
    options: dict[str, Any] = {"screen": screen, "data": read_data(app, data), "flow_token": flow_token}
    if not auto:
        _require_terminal(app)
    with named_endpoint(endpoint) as target:
        options |= {
            "endpoint": target,
            "public_key": read_public_key(app, public_key),
            "app_secret": app_secret(app),
        }
        try:
            return PlayedAutomatically(outcome=play.autoplay(flow, **options)) if auto else _by_hand(app, flow, options)
        except ImportError as missing:  # the extra `endpoint`
            raise click.UsageError(f"--endpoint: {missing}.") from None


def _require_terminal(app: App) -> None:
    if app.options.get("json"):
        raise click.UsageError("--json needs --auto.")
    if not app.is_interactive:
        raise click.UsageError("there is no terminal to play on: give --auto.")


def _by_hand(app: App, flow: play.PlayedFlow, options: Mapping[str, Any]) -> Value:
    from ._play_terminal import play_on_terminal  # noqa: PLC0415 - loads the player, which the other commands do not need

    return PlayedByHand(session=play_on_terminal(app, flow, **options))


# -- output


@as_text.register
def _(value: PlayedAutomatically) -> Lines:
    outcome = value.outcome
    for seen in outcome.screens:
        yield heading(seen.view)
        yield from (indented(line.text, 1 + line.level) for line in screen_lines(seen.view))
        if seen.tapped and (seen.view.footer is None or seen.tapped != seen.view.footer.props.get("label")):
            yield indented(Text(f"-> {inert(seen.tapped)}", style="cyan"), 1)
        yield Text()
    if outcome.reason is not None:
        yield Text.assemble(("Not completed: ", "bold red"), f"{inert(outcome.explanation)} ({outcome.reason})")
        if outcome.path:
            yield Text(f"  at {inert(outcome.path)}")
    else:
        passed = f" after {count(len(outcome.screens), 'screen')} and {count(len(outcome.events), 'event')}"
        yield from _end_lines(outcome.completed or {}, outcome.summary, sent=outcome.sent, passed=passed)


@as_text.register
def _(value: PlayedByHand) -> Lines:
    end = value.session.end
    if isinstance(end, play.Complete):
        yield from _end_lines(end.payload, play.summary(value.session), sent=end.sent)
    elif end is not None:
        yield Text.assemble(("The Flow cannot go on: ", "bold red"), inert(end.message))
    else:
        yield Text("Stopped before the end.")


def _end_lines(
    payload: Mapping[str, Any], summary: Sequence[play.SummaryRow], *, sent: bool, passed: str = ""
) -> Lines:
    """The payload, and the summary in the chat."""
    if not sent:
        yield Text(f"Closed{passed}. No message is sent.", style="yellow")
        return
    yield Text(f"Completed{passed}. The payload:", style="green")
    yield from (
        indented(Text(inert(line)), 1) for line in json.dumps(payload, indent=2, ensure_ascii=False).splitlines()
    )
    if summary:
        yield Text("The summary in the chat:")
        yield from (indented(Text(f"{inert(row.label)}: {inert(row.value)}"), 1) for row in summary)


@as_json.register
def _(value: PlayedAutomatically) -> Json:
    outcome = value.outcome
    return {
        "completed": outcome.completed,
        "sent": outcome.sent,
        "reason": outcome.reason,
        "explanation": outcome.explanation or None,
        "path": outcome.path or None,
        "screens": [
            {"id": seen.id, "title": seen.title, "texts": list(seen.texts), "tapped": seen.tapped or None}
            for seen in outcome.screens
        ],
        "events": [_plain(event) for event in outcome.events],
        "summary": [{"label": row.label, "value": row.value} for row in outcome.summary],
    }


def _plain(value: Any) -> Any:
    """A value as JSON has it; an event or a file as its fields, with its type."""
    if is_dataclass(value):
        return {
            "type": type(value).__name__,
            **{each.name: _plain(getattr(value, each.name)) for each in fields(value)},
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value
