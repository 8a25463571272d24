"""Files that other programs read while they are written."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from .errors import ConfigurationError


def replace_file(path: Path, content: bytes) -> None:
    """
    Write a file so that at any time it is the old one or the new one, whatever happens to this process.

    A link is followed, the mode of a file that is there is kept. Raises `ConfigurationError`, which names the file, if
    it cannot be written; the old one is then still there.
    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.tmp")
    try:
        replaces = target.exists()
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if replaces else 0o666)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replaces:
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException as exc:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(exc, OSError):
            raise ConfigurationError(f"{path} cannot be written: {exc.strerror}.") from None
        raise
