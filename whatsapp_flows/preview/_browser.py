"""
The Chromium of the user, run without a window: a page in, a picture or its DOM out.

One process for each picture, ended by itself or by us: Chromium's switches `--screenshot` and `--dump-dom` ("Chrome
Headless mode", developer.chrome.com) need no driver and work the same on Linux, macOS and Windows.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from .._inert import inert
from ..errors import ConfigurationError

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
"""Names under which Chromium and the browsers based on it are looked for on PATH, in this order."""

_PLACES: Final = (  # where an installer puts it that adds nothing to PATH
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
_SWITCHES: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # the page loads nothing; neither shall the browser
)
_MAX_OUTPUT: Final = 64 * 2**20  # bytes that are read of what the browser prints
_POLL: Final = 0.02  # seconds between two looks whether it has ended
_GRACE: Final = 5.0  # seconds for a killed process to go
_INSTALL: Final = "Install Chromium or Google Chrome, or name its program with --browser"


def find_browser(given: str | os.PathLike[str] | None = None) -> Path:
    """
    The program of a Chromium-based browser: the given one, or the first that is found.

    Raises `ConfigurationError` if there is none.
    """
    if given is not None:
        found = shutil.which(os.fspath(given))
        if found is None:
            raise ConfigurationError(f"{inert(os.fspath(given))} is not a program that can be run as a browser.")
        return Path(found)
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    found = found or next((place for place in _PLACES if os.access(place, os.X_OK)), None)
    if found is None:
        raise ConfigurationError(f"No browser was found. {_INSTALL}.")
    return Path(found)


class Browser:
    """
    Runs of one browser, each with an empty profile below `folder`, which is removed afterwards.

    A run that takes longer than `timeout` seconds is killed, and so are those that run when `stop` is set. `scale` is
    the number of pixels of a CSS pixel.
    """

    def __init__(
        self,
        program: Path,
        folder: Path,
        *,
        timeout: float,
        scale: float,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._program, self._folder, self._scale = program, folder, scale
        self._timeout, self.stop, self._clock, self._sleep = timeout, stop, clock, sleep

    def dom(self, address: str) -> str:
        """The document at an address as it is after its scripts have run, as HTML."""
        return self._run(["--dump-dom", address]).decode(errors="replace")

    def picture(self, address: str, file: Path, *, width: int, height: int) -> None:
        """Write a PNG of the page in a window of this size, in CSS pixels."""
        self._run([f"--screenshot={file}", f"--window-size={width},{height}", address])
        if not file.is_file():
            raise ConfigurationError(f"{self._program.name} has written no picture. Another browser: --browser.")

    def _run(self, arguments: list[str]) -> bytes:
        with tempfile.TemporaryDirectory(prefix="profile-", dir=self._folder, ignore_cleanup_errors=True) as profile:
            command = [
                str(self._program), *_SWITCHES, *_as_root(), f"--user-data-dir={profile}",
                f"--force-device-scale-factor={self._scale:g}", *arguments,
            ]  # fmt: skip
            # Files, not pipes: a browser that hangs with a full pipe, or a child that keeps one open, blocks nobody.
            with tempfile.TemporaryFile(dir=profile) as out, tempfile.TemporaryFile(dir=profile) as err:
                code = self._wait_for(command, out, err)
                if code != 0:
                    raise ConfigurationError(f"{self._program.name} ended with exit code {code}: {_last_line(err)}")
                out.seek(0)
                return out.read(_MAX_OUTPUT)

    def _wait_for(self, command: list[str], out: IO[bytes], err: IO[bytes]) -> int:
        try:
            process = subprocess.Popen(  # noqa: S603 - the program that the user has named or installed
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )
        except OSError as failure:
            raise ConfigurationError(f"{self._program} cannot be run: {failure.strerror}.") from None
        deadline = self._clock() + self._timeout
        try:
            while (code := process.poll()) is None:
                if self.stop.is_set():
                    raise ConfigurationError(f"{self._program.name} was ended.")
                if self._clock() >= deadline:
                    raise ConfigurationError(f"{self._program.name} took over {self._timeout:g} s, and was ended.")
                self._sleep(_POLL)
            return code
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the browser and the processes that it has started, also those that outlive it."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)


def _as_root() -> list[str]:
    """Chromium refuses to run as root with its sandbox, as in most containers."""
    return ["--no-sandbox"] if sys.platform == "linux" and os.geteuid() == 0 else []


def _last_line(err: IO[bytes]) -> str:
    err.seek(0)
    lines = err.read(_MAX_OUTPUT).decode(errors="replace").strip().splitlines()
    return inert(lines[-1][:300]) if lines else "it has said nothing."
