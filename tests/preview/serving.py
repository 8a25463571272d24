"""A preview of a file, and a browser without a screen: what a page sends over a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from whatsapp_flows.preview import Preview

PATIENCE = 30  # seconds for what has to come; on a loaded machine a few may pass


def text_input(name: str, **more: Any) -> dict[str, Any]:
    """A field that is not required."""
    return {"type": "TextInput", "name": name, "label": name.title(), **more}


def footer(action: dict[str, Any], label: str = "Continue") -> dict[str, Any]:
    """A Footer with an action."""
    return {"type": "Footer", "label": label, "on-click-action": action}


def screen(name: str, *children: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A screen with these components."""
    layout = {"type": "SingleColumnLayout", "children": list(children)}
    return {"id": name, "title": name.title(), "layout": layout, **more}


def navigate(target: str, **payload: Any) -> dict[str, Any]:
    """The action that goes to a screen."""
    return {"name": "navigate", "next": {"type": "screen", "name": target}, "payload": payload}


def complete(**payload: Any) -> dict[str, Any]:
    """The action that ends the Flow."""
    return {"name": "complete", "payload": payload}


def exchange(**payload: Any) -> dict[str, Any]:
    """The action that asks the endpoint."""
    return {"name": "data_exchange", "payload": payload}


def two_screens(*above: dict[str, Any], name: str = "first_name") -> dict[str, Any]:
    """A name on one screen, an e-mail address on the next."""
    return {
        "version": "7.3",
        "screens": [
            screen("START", *above, text_input(name), footer(navigate("END", name="${form." + name + "}"))),
            screen(
                "END",
                text_input("mail", required=True),
                footer(complete(name="${data.name}", mail="${form.mail}"), "Done"),
                data={"name": {"type": "string", "__example__": "Ada"}},
                terminal=True,
            ),
        ],
    }


def with_endpoint() -> dict[str, Any]:
    """A Flow that asks an endpoint on its first screen."""
    return {
        "version": "7.3",
        "data_api_version": "3.0",
        "routing_model": {"START": ["SLOTS"], "SLOTS": []},
        "screens": [
            screen("START", text_input("place"), footer(exchange(place="${form.place}"))),
            screen(
                "SLOTS",
                {"type": "TextBody", "text": "${data.hint}"},
                footer(complete(hint="${data.hint}"), "Done"),
                data={"hint": {"type": "string", "__example__": "At ten"}},
                terminal=True,
            ),
        ],
    }


def save(path: Path, document: dict[str, Any]) -> Path:
    """Replace the file at once, as editors do."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(document, indent=1))
    new.replace(path)
    return path


class Tab:
    """A tab of a browser that has opened a preview."""

    def __init__(self, preview: Preview, url: str | None = None) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Connection"] = "close"  # a tab leaves no connection behind
        self.opened = self.session.get(url or preview.url, timeout=PATIENCE)
        self.base = preview.url.partition("/?")[0]

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.session.get(f"{self.base}{path}", timeout=PATIENCE, allow_redirects=False, **more)

    def post(self, path: str, body: Any, **more: Any) -> requests.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.session.post(f"{self.base}{path}", content, timeout=PATIENCE, **more)

    @property
    def cookies(self) -> str:
        """The Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self.session.cookies.items())

    @property
    def state(self) -> Any:
        return self.get("/state").json()

    def event(self, kind: str, path: str = "", *, seen: int = -1, **fields: Any) -> Any:
        """Send an event, and return the state, or what is new in it since the revision `seen`."""
        answer = self.post("/event", {"event": {"type": kind, "path": path, **fields}, "seen": seen})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def command(self, name: str, **fields: Any) -> Any:
        """Send a command, and return the state."""
        answer = self.post("/command", {"command": name, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()

    @contextmanager
    def changes(self) -> Iterator[Iterator[int]]:
        """The revisions that are announced."""
        with self.session.get(f"{self.base}/changes", stream=True, timeout=PATIENCE) as answer:
            assert answer.headers["Content-Type"] == "text/event-stream; charset=UTF-8"
            yield (
                json.loads(line.removeprefix(b"data: "))["revision"]
                for line in answer.iter_lines(chunk_size=1)
                if line.startswith(b"data: ")
            )

    def until(self, ready: Any) -> Any:
        """The state as soon as it fits."""
        with self.changes() as revisions:
            for _ in revisions:
                state = self.state
                if ready(state):
                    return state
        raise AssertionError("the stream has ended")


@contextmanager
def previewing(path: Path, document: dict[str, Any] | None = None, **options: Any) -> Iterator[tuple[Preview, Tab]]:
    """A running preview of a file, which is written first if a document is given, and a tab that has opened it."""
    if document is not None:
        save(path, document)
    with Preview(path, **{"interval": 0.005, **options}) as preview:
        yield preview, Tab(preview)


def path_of(state: Any, name: str) -> str:
    """The path of the field with a name."""
    return str(next(node["path"] for node in state["view"]["nodes"] if node["name"] == name))


def value_of(state: Any, name: str) -> Any:
    """What the field with a name holds."""
    return next(node["value"] for node in state["view"]["nodes"] if node["name"] == name)
