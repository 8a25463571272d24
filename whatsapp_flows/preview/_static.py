"""The files of the page: a list that is made from the folder, so that no path leads out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .._reading import read_regular
from .._server import HttpResponse

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".html": "text/html; charset=UTF-8",
    ".js": "text/javascript; charset=UTF-8",
    ".css": "text/css; charset=UTF-8",
}
INDEX: Final = "index.html"
_MAX_BYTES: Final = 1024 * 1024  # the page has 150 kB in all


def static_file(name: str) -> HttpResponse | None:
    """A file of the page; None if it has none of this name."""
    found = {path.name: path for path in _FOLDER.iterdir() if path.suffix in _TYPES}.get(name)
    if found is None:
        return None
    return HttpResponse(headers={"Content-Type": _TYPES[found.suffix]}, body=read_regular(found, _MAX_BYTES))
