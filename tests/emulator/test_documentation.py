"""The curl commands of the emulator's page do what the page shows."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any, Final

import requests

from whatsapp_flows.emulator import Emulator, read_faults

PAGE: Final = Path(__file__).parents[2] / "docs" / "emulator.md"
_COMMAND: Final = re.compile(r"^\$ (curl (?:[^\\\n]|\\\n)*)\n(\{.*)", re.MULTILINE)


def _curl(command: str, url: str) -> Any:
    """What a curl command would print, for the options that the page uses: curl need not be installed."""
    words = shlex.split(command.replace("\\\n", " ").replace("http://127.0.0.1:8081", url))[1:]
    method, headers, data, target = None, {}, [], ""
    body: dict[str, Any] = {}
    parts: list[tuple[str, tuple[str | None, Any] | tuple[str, bytes, str]]] = []
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            name, _, value = words.pop(0).partition("=")
            data.append((name, value))
        elif word == "-F":
            name, _, value = words.pop(0).partition("=")
            parts.append((name, _file(value[1:]) if value.startswith("@") else (None, value)))
            body = {"files": parts}
        elif word == "--json":
            body = {"json": json.loads(words.pop(0))}
        elif word != "-s":
            target = word
    method = method or ("POST" if data or body else "GET")
    return requests.request(method, target, headers=headers, data=data or None, timeout=30, **body).json()


def _file(value: str) -> tuple[str, bytes, str]:
    """`PATH;type=TYPE;filename=NAME`, in the form that requests takes."""
    path, *options = value.split(";")
    named = dict(option.split("=", 1) for option in options)
    return named["filename"], (PAGE.parents[1] / path).read_bytes(), named["type"]


def test_every_curl_command_gets_what_the_page_shows(meta: Emulator) -> None:
    """In the order of the page; trace ids and cursors differ in each run."""
    commands = _COMMAND.findall(PAGE.read_text("utf-8"))
    assert len(commands) >= 12
    for command, returned in commands:
        got = _curl(command, meta.url)
        if "error" in got:
            got["error"]["fbtrace_id"] = "..."
        if "paging" in got:
            got["paging"]["cursors"] = dict.fromkeys(got["paging"]["cursors"], "...")
        assert got == json.loads(returned), command


def test_the_files_of_faults_on_the_page_are_good() -> None:
    """The one in TOML and the one in JSON."""
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    text = PAGE.read_text("utf-8")
    (toml,) = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (as_json,) = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert [rule.operation for rule in read_faults(tomllib.loads(toml))] == ["update_flow_json", "list_flows"]
    assert [rule.operation for rule in read_faults(json.loads(as_json))] == ["publish_flow", None]
