"""
`make interop`: other people's clients, each in an environment of its own, against the emulator on the command line.

Each driver ends with an error if its client does not understand an answer. What the client asked for is written into
README.md, between its two marks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import ProxyHandler, Request, build_opener

HERE: Final = Path(__file__).parent
ENVIRONMENTS: Final = HERE.parents[1] / ".cache" / "interop"
README: Final = HERE / "README.md"
_MARKS: Final = ("<!-- asked: begin -->", "<!-- asked: end -->")
_OTHER_WABA: Final = "20100000000000002"
_PATIENCE: Final = 120.0  # seconds for one driver
_NOWHERE: Final = "http://127.0.0.1:9"  # the discard port: what is not meant for this machine fails


@dataclass(frozen=True, slots=True)
class Client:
    """A client: its name, what pip installs, and the driver that uses it."""

    name: str
    requirement: str
    driver: str


CLIENTS: Final = (
    Client("django-meta-whatsapp", "django-meta-whatsapp==1.1.0", "drive_django_meta_whatsapp.py"),
    Client("facebook-business", "facebook-business==26.0.3", "drive_facebook_business.py"),
    Client("kapso-whatsapp-cloud-api", "kapso-whatsapp-cloud-api==0.3.0", "drive_kapso.py"),
    Client("pywa", "pywa[cryptography]==4.5.0", "drive_pywa_sync.py"),
    Client("pywa (async)", "pywa[cryptography]==4.5.0", "drive_pywa_async.py"),
    Client("whatsapp-flows", "whatsapp-flows==0.1.0", "drive_whatsapp_flows_0_1_0.py"),
)


def main(argv: Sequence[str]) -> int:
    """Drive all clients, or those that are named; 1 when one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="clients (all)")
    parser.add_argument("--write", action="store_true", help="write their requests into README.md")
    options = parser.parse_args(argv)
    chosen = [client for client in CLIENTS if not options.names or client.name in options.names]
    failed, tables = [], []
    for client in chosen:
        python = environment_of(client)
        with emulator() as started:
            done = drive(client, python, started)
            asked = _get(f"{started['url']}/_emulator/requests?limit=1000")["requests"]
        print(f"{client.name}: {'ok' if done.returncode == 0 else 'FAILED'}, {len(asked)} requests")
        if done.returncode:
            failed.append(client.name)
            print(done.stdout + done.stderr)
        tables.append(table(client, asked))
    if options.write and not failed and not options.names:
        before, _, rest = README.read_text("utf-8").partition(_MARKS[0])
        after = rest.partition(_MARKS[1])[2]
        README.write_text(f"{before}{_MARKS[0]}\n\n" + "\n".join(tables) + f"\n{_MARKS[1]}{after}", "utf-8")
    return 1 if failed else 0


def environment_of(client: Client) -> Path:
    """The interpreter of a client's own environment, which is created if it does not exist."""
    home = ENVIRONMENTS / client.requirement.partition("=")[0].replace("[", "-").rstrip("]")
    python, stamp = home / "bin" / "python", home / "installed"
    if not stamp.exists() or stamp.read_text() != client.requirement:
        print(f"Installing {client.requirement}")
        venv.create(home, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", client.requirement]
        subprocess.run(install, check=True)
        stamp.write_text(client.requirement)
    return python


@contextmanager
def emulator() -> Iterator[dict[str, Any]]:
    """The command line's emulator, with a second account; yields its JSON output."""
    command = [sys.executable, "-m", "whatsapp_flows", "emulate", "--json", "--quiet", "--account", _OTHER_WABA]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _announced(process)
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _announced(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line == "}\n":
            started: dict[str, Any] = json.loads(text)
            return started
    raise RuntimeError("the emulator did not start")


def drive(client: Client, python: Path, started: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run a driver. Nothing leaves this machine: requests to other hosts go to a proxy that does not exist."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "EMULATOR_URL": started["url"],
        "EMULATOR_WABA_ID": started["waba_id"],
        "EMULATOR_OTHER_WABA_ID": _OTHER_WABA,
        "EMULATOR_PHONE_NUMBER_ID": started["phone_number_id"],
        "NO_PROXY": "127.0.0.1,localhost",
        **dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY"), _NOWHERE),
    }
    command = [str(python), "-B", str(HERE / "drivers" / client.driver)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=_PATIENCE, check=False)


def table(client: Client, asked: Sequence[Mapping[str, Any]]) -> str:
    """The requests of a client, each kind once."""
    rows = dict.fromkeys(_row(request) for request in asked)
    lines = [f"### {client.name}", "", f"`{client.requirement}`, User-Agent `{_agent(asked)}`", ""]
    lines += ["| operation | request | encoding | parameters | status |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *rows, ""])


def _agent(asked: Sequence[Mapping[str, Any]]) -> str:
    return str(asked[0]["headers"].get("User-Agent", "none")) if asked else "none"


def _row(request: Mapping[str, Any]) -> str:
    path = "/".join("{id}" if part.isdigit() else part for part in request["path"].split("/"))
    encoding = request["headers"].get("Content-Type", "").partition(";")[0] or "none"
    named = {
        **request["query"],
        **request["form"],
        **(request["json"] or {}),
        **dict.fromkeys(request["files"], "file"),
    }
    shown = ", ".join(f"`{name}={value}`" if name == "fields" else f"`{name}`" for name, value in named.items())
    shown = shown.replace("|", "\\|")
    return (
        f"| {request['operation'] or '-'} | `{request['method']} {path}` | {encoding} | {shown} | {request['status']} |"
    )


def _get(url: str) -> Any:
    with build_opener(ProxyHandler({})).open(Request(url), timeout=10) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
