"""
A live flow as it was before the first write to it, and where its Flow JSON is kept until it is live again.

An upload un-publishes a flow, and Meta's API gives no older version. So the old Flow JSON is written beside the lock
file before the first write, and removed when the flow is live again. If the process ends in between, the next run can
restore it.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..._digest import digest_of
from ..._files import replace_file
from ..._reading import read_regular
from ...errors import ConfigurationError
from ...flow_json import MAX_BYTES
from ..account import ActualFlow, Lock

logger: Final = logging.getLogger("whatsapp_flows")

SUFFIX: Final = ".old"  # not .json: no command that reads a folder takes it for a Flow JSON of the repository
_PRIVATE: Final = 0o600
_MAX_KEY: Final = 60  # characters of a key in the name of a file


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveVersion:
    """
    The version of a PUBLISHED flow: its Flow JSON, and its metadata as far as they are known.

    `categories` is empty, `endpoint_uri` and `application_id` are None where Meta did not report them.
    """

    flow_id: str
    name: str
    content: bytes = field(repr=False)
    categories: tuple[str, ...] = ()
    endpoint_uri: str | None = None
    application_id: str | None = None

    @classmethod
    def of(cls, flow: ActualFlow, content: bytes) -> LiveVersion:
        """The version of a flow as the plan saw it, with its Flow JSON."""
        return cls(
            flow_id=flow.id, name=flow.name, content=content, categories=flow.categories,
            endpoint_uri=flow.endpoint_uri, application_id=flow.application_id,
        )  # fmt: skip


class OldDocuments:
    """
    Keeps the Flow JSONs of live flows while these are changed. Threads share it.

    This class keeps none after the process ends; subclasses store them.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def keep(self, key: str, version: LiveVersion) -> None:
        """The version is kept when this returns. An exception ends the change of the flow, which is still live."""

    def find(self, key: str, flow_id: str) -> bytes | None:
        """The Flow JSON that an earlier run kept and did not restore."""
        return None

    def discard(self, key: str, flow_id: str) -> None:
        """The flow is live: delete its old Flow JSON. Raises nothing."""

    def leave(self, key: str, version: LiveVersion) -> Path | None:
        """The file with the old Flow JSON of a flow that was not restored; None if it could not be written."""
        try:
            handle, name = tempfile.mkstemp(SUFFIX, f"whatsapp-flow-{_safe(version.flow_id)}-")
            with os.fdopen(handle, "wb") as file:
                file.write(version.content)
        except OSError as failure:
            logger.error("The old Flow JSON of %s cannot be kept: %s", key, failure.strerror)  # noqa: TRY400
            return None
        return Path(name)


class OldDocumentFiles(OldDocuments):
    """
    Files beside the lock file, one for each flow; none without a lock file.

    A file that cannot be written is logged and ends no deployment: the version is kept in memory, and written to a
    temporary file if the flow is not restored.
    """

    def __init__(self, lock: Lock | None) -> None:
        self._lock_file = None if lock is None else lock.path
        self._names = self._listed()

    def keep(self, key: str, version: LiveVersion) -> None:
        """The version is on the disk when this returns, readable by this user only."""
        path = self._path(key, version.flow_id)
        if path is None:
            return
        try:
            replace_file(path, version.content, mode=_PRIVATE)
        except ConfigurationError as failure:
            logger.warning("%s", failure)
        else:
            self._names.add(path.name)

    def find(self, key: str, flow_id: str) -> bytes | None:
        """The Flow JSON that an earlier run kept and did not restore."""
        path = self._path(key, flow_id)
        if path is None or path.name not in self._names:
            return None
        try:
            content = read_regular(path, MAX_BYTES)
        except OSError:
            return None
        return content if digest_of(content) is not None else None

    def discard(self, key: str, flow_id: str) -> None:
        """The flow is live: delete the file."""
        path = self._path(key, flow_id)
        if path is not None and path.name in self._names:
            self._names.discard(path.name)
            with suppress(OSError):
                path.unlink()

    def leave(self, key: str, version: LiveVersion) -> Path | None:
        """The file with the old Flow JSON of a flow that was not restored; None if it could not be written."""
        path = self._path(key, version.flow_id)
        if path is not None and path.name in self._names:
            return path
        return super().leave(key, version)

    def _path(self, key: str, flow_id: str) -> Path | None:
        lock_file = self._lock_file
        if lock_file is None:
            return None
        return lock_file.with_name(f"{lock_file.stem}.{_safe(key)}-{_safe(flow_id)}{SUFFIX}")

    def _listed(self) -> set[str]:
        if self._lock_file is None:
            return set()
        try:
            return {path.name for path in self._lock_file.parent.iterdir() if path.name.endswith(SUFFIX)}
        except OSError:
            return set()


def _safe(text: str) -> str:
    """A text as part of a file name."""
    return re.sub("[^A-Za-z0-9_-]", "_", text)[:_MAX_KEY]
