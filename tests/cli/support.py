"""Run the command line in tests: with streams in memory, an environment of its own, and waits that take no time."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.support import valid_flow
from whatsapp_flows.cli import run
from whatsapp_flows.emulator import Emulator


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Outcome:
    """The exit code and the output of a run."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON on stdout."""
        return json.loads(self.out)


@dataclass
class CommandLine:
    """Runs commands; `sleeps` are the waits that were requested."""

    env: Mapping[str, str] = field(default_factory=dict)
    sleeps: list[float] = field(default_factory=list)

    def __call__(
        self,
        *argv: object,
        stdin: io.TextIOBase | str | None = None,
        terminal: bool = False,
        env: Mapping[str, str] | None = None,
        sleep: Callable[[float], object] | None = None,
        stop: threading.Event | None = None,
    ) -> Outcome:
        kind = Terminal if terminal else io.StringIO
        out, err = kind(), kind()
        code = run(
            [str(word) for word in argv],
            stdout=out,
            stderr=err,
            env={**self.env, **(env or {})},
            stdin=io.StringIO(stdin) if isinstance(stdin, str) else stdin,  # type: ignore[arg-type]
            sleep=sleep or self.sleeps.append,
            stop=stop,
        )
        return Outcome(code, out.getvalue(), err.getvalue())


def statuses(meta: Emulator) -> dict[str, str]:
    """The status of each flow by its name."""
    return {flow.name: flow.status for flow in meta.flows()}


def check(*argv: object, **more: Any) -> Outcome:
    """Run `validate` without advice."""
    return CommandLine()("validate", "--no-advice", *argv, **more)


def write_documents(folder: Path) -> None:
    """Write a valid Flow JSON, and an invalid one in a subfolder."""
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "good.json").write_text(json.dumps(VALID))
    (folder / "deep" / "deeper" / "bad.json").write_text(json.dumps(INVALID, ensure_ascii=False), encoding="utf-8")


VALID = valid_flow()
INVALID = {**VALID, "screens": [{**VALID["screens"][0], "titel": "😀"}]}
PUBLIC_KEY = """\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvFDQ+ezP5K7C0VxhYfde
ChnTzSBgqtvroUHSeYS22bbS8RTcWiTtreoBs5NfrnvAb1Dcv62ZJP3Pjr8h5+xI
nYGrG3vlDIA6myEILHqZ+aovzt3fNjFl9GSs2x4BJu5K+5LoCZEj5tPCU5pI9JRg
FqfZ8tBkIbF1KTadV6RfYeokZcKF6pjqDxuVtoUsosNETZIwo2e39VirTAgtqNDc
sjN5Fimsd/3L4zgy07I/NkCZKwdtTby1yt7MbodCFiizyilVI7sm/NFbjNMVeqHn
lHW38o3gH1EzlLfY1NgO+zYSvXDwKWzpOnZSyakEskh4mvON3REbkO20OUUEFy9j
LwIDAQAB
-----END PUBLIC KEY-----
"""
"""An RSA key of 2048 bits, whose private key was not kept."""


class Announced(io.StringIO):
    """A stream that sets an event when something was flushed."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed = threading.Event()

    def flush(self) -> None:
        if self.getvalue():
            self.flushed.set()


@contextmanager
def running(*argv: object) -> Iterator[SimpleNamespace]:
    """A command that serves until it is stopped: the JSON that it has written, and its stderr as `err`."""
    out, err, stop = Announced(), io.StringIO(), threading.Event()
    codes: list[int] = []
    words = [*map(str, argv), "--json"]
    thread = threading.Thread(target=lambda: codes.append(run(words, stdout=out, stderr=err, env={}, stop=stop)))
    thread.start()
    try:
        while not out.flushed.wait(0.02) and thread.is_alive():
            pass
        assert not codes, err.getvalue()
        yield SimpleNamespace(**json.loads(out.getvalue()), err=err)
    finally:
        stop.set()
        thread.join()
    assert codes == [0]
