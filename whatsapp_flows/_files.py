"""Files that other programs read while they are written."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from .errors import ConfigurationError

try:
    import fcntl
except ImportError:  # Windows, which lets nobody delete a file that is open
    fcntl = None  # type: ignore[assignment]

_LONGEST_NAME: Final = 200  # of the target, within the 255 bytes that file systems allow; names are mostly ASCII
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_CLOSED_ON_EXEC: Final = getattr(os, "O_CLOEXEC", 0)
# Linux: a file without a name, which is given one through /proc.
_UNNAMED: Final = getattr(os, "O_TMPFILE", 0) if os.path.isdir("/proc/self/fd") else 0


def replace_file(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """
    Write a file so that at any time it is the old one or the new one, whatever happens to this process or the machine.

    A link to a file is followed; one that leads nowhere, and what is no file, is refused. The mode of a file that is
    there is kept, a new one gets `mode`, less the umask. What an earlier process left behind that was killed while it
    wrote is cleared away. Raises `ConfigurationError`, which names the file, if it cannot be written; the old one is
    then still there.
    """
    try:
        target = _target(path)
        _write(target, content, mode)
    except OSError as failure:
        reason = failure.strerror or str(failure)
    else:
        return
    raise ConfigurationError(f"{path} cannot be written: {reason}.")


def _target(path: Path) -> Path:
    """The file itself, at the end of the links. Raises `OSError` for what must not be replaced by a file."""
    target = Path(os.path.realpath(path))
    if path.is_symlink() and not target.exists():
        raise OSError(f"it is a link to {target}, which is not there")
    if target.exists() and not target.is_file():
        raise OSError("it is not a regular file")
    return target


def _write(target: Path, content: bytes, mode: int) -> None:
    before = target.stat() if target.exists() else None
    _clear_leftovers(target)
    folder = os.open(target.parent, os.O_RDONLY | _CLOSED_ON_EXEC) if _UNNAMED else None
    try:
        with _temporary(target, mode if before is None else 0o600) as (handle, name):
            with os.fdopen(os.dup(handle), "wb") as file:
                file.write(content)
                file.flush()
                if before is not None:
                    with suppress(OSError):  # another owner can be given by root alone
                        os.chown(handle, before.st_uid, before.st_gid)
                    os.chmod(handle, stat.S_IMODE(before.st_mode))
                os.fsync(handle)
            if not _is(name, handle):
                # With a folder's handle Python follows the link in /proc, and without it does not.
                os.link(f"/proc/self/fd/{handle}", name, src_dir_fd=folder, follow_symlinks=True)
            os.replace(name, target)
        if folder is not None:
            with suppress(OSError):  # not every file system can do that for a folder
                os.fsync(folder)  # the new name on the disk, too
    finally:
        if folder is not None:
            os.close(folder)


@contextmanager
def _temporary(target: Path, mode: int) -> Iterator[tuple[int, Path]]:
    """
    A new file beside the target, locked for as long as its writer lives, and its name; gone unless it was renamed.

    Where the system can do that, it has no name until it is whole: of a writer that is killed nothing is left. In other
    places a leftover is told from a file that is being written by the lock, which ends with the process.
    """
    while True:
        name = target.with_name(f".{target.name[:_LONGEST_NAME]}.{secrets.token_hex(4)}.tmp")
        handle, named = _opened(name, mode)
        try:
            if _locked(handle) and named and not _is(name, handle):
                continue  # cleared away between its making and its locking
            try:
                yield handle, name
            finally:
                if _is(name, handle):
                    name.unlink(missing_ok=True)
            return
        finally:
            os.close(handle)


def _opened(name: Path, mode: int) -> tuple[int, bool]:
    """A new file, and whether it has the name already."""
    if _UNNAMED:
        with suppress(OSError):  # the file system cannot do that
            return os.open(name.parent, os.O_WRONLY | _UNNAMED | _CLOSED_ON_EXEC, mode), False
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _CLOSED_ON_EXEC, mode), True


def _clear_leftovers(target: Path) -> None:
    """Takes away what killed processes left beside the target: files named as ours whose writer is gone."""
    ours = re.compile(rf"\.{re.escape(target.name[:_LONGEST_NAME])}\.[0-9a-f]{{8}}\.tmp")
    with suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if ours.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    _clear(Path(entry.path))


def _clear(leftover: Path) -> None:
    handle = os.open(leftover, os.O_RDWR | _NO_FOLLOW | _CLOSED_ON_EXEC)
    try:
        if _locked(handle) and _is(leftover, handle):
            leftover.unlink()
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    """Whether the file is ours alone now. Where files cannot be locked nothing is cleared away."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is(name: Path, handle: int) -> bool:
    """Whether the open file still stands under that name."""
    try:
        return os.path.samestat(os.stat(name, follow_symlinks=False), os.fstat(handle))
    except FileNotFoundError:
        return False
