"""Sources of others that no package index has: from a folder of checkouts, or else from GitHub, at one commit."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CACHE: Final = Path(__file__).parents[2] / ".cache" / "interop"
CHECKOUTS: Final = "INTEROP_CHECKOUTS"
"""The variable that names a folder with checkouts, each called as its repository, for a machine without GitHub."""

_PATIENCE: Final = 60.0  # seconds for one git command


class MissingSourceError(Exception):
    """It is neither in the folder nor at GitHub."""


@dataclass(frozen=True, slots=True)
class Source:
    """A repository at GitHub, `owner/name`, and the commit that the expectations hold for."""

    repository: str
    commit: str

    def folder(self) -> Path:
        """Its files. Raises `MissingSourceError`."""
        name = self.repository.rpartition("/")[2]
        given = os.environ.get(CHECKOUTS)
        if given and (Path(given) / name).is_dir():
            return Path(given) / name
        return self._fetched(CACHE / "sources" / f"{name}-{self.commit[:12]}")

    def _fetched(self, folder: Path) -> Path:
        if (folder / ".complete").exists():
            return folder
        folder.mkdir(parents=True, exist_ok=True)
        url = f"https://github.com/{self.repository}"
        try:
            for arguments in (
                ["init", "-q"],
                ["fetch", "-q", "--depth", "1", url, self.commit],
                ["checkout", "-q", "--force", "FETCH_HEAD"],
            ):
                subprocess.run(
                    ["git", "-C", str(folder), *arguments], check=True, capture_output=True, timeout=_PATIENCE
                )
        except (OSError, subprocess.SubprocessError) as failure:
            raise MissingSourceError(
                f"{url} cannot be fetched ({type(failure).__name__}), and ${CHECKOUTS} has no folder {name_of(self)}"
            ) from None
        (folder / ".complete").touch()
        return folder


def name_of(source: Source) -> str:
    """The name of the repository."""
    return source.repository.rpartition("/")[2]


PYWA: Final = Source("david-lev/pywa", "0bcf2f192ff3cf8ae24a425d85f4295e3cca7a62")
FLOWS_TOOLS: Final = Source("WhatsApp/WhatsApp-Flows-Tools", "ad304df3bc72db21d5540b8b06edaf595400cb08")
