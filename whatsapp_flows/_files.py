"""Atomic replacement of files that other programs may read at the same time."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from .errors import ConfigurationError

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be deleted
    fcntl = None  # type: ignore[assignment]

_MAX_NAME: Final = 200  # characters of the target's name: file systems allow 255 bytes, and names are mostly ASCII
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_CLOSE_ON_EXEC: Final = getattr(os, "O_CLOEXEC", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)  # Windows
# Linux: creates a file without a name, which a link through /proc adds later. 0 where that is not possible.
UNNAMED: Final = getattr(os, "O_TMPFILE", 0) if os.path.isdir("/proc/self/fd") else 0


def replace_file(path: Path, content: bytes, *, mode: int = 0o666, unnamed: int = UNNAMED) -> None:
    """Replace a file atomically by one with this content: see `write_file`."""
    write_file(path, lambda file: file.write(content), mode=mode, unnamed=unnamed)


def write_file(path: Path, write: Callable[[BinaryIO], object], *, mode: int = 0o666, unnamed: int = UNNAMED) -> None:
    """
    Replace a file atomically by what `write` writes to an open one: at any time it has the old content or the new one,
    even if the process is killed or the machine crashes. When `write` raises, nothing has changed.

    A symbolic link is followed. A dangling link, and anything but a regular file, is an error. An existing file keeps
    its mode; a new one gets `mode`, less the umask. Temporary files of earlier processes that were killed are deleted.
    `unnamed` is the flag of `os.open` for files without a name (0: use a named temporary file). Raises
    `ConfigurationError`, which names the file, if it cannot be written; the old file then still exists.
    """
    try:
        target = _target(path)
        _write(target, write, mode, unnamed)
    except OSError as failure:
        reason = failure.strerror or str(failure)
    else:
        return
    raise ConfigurationError(f"{path} cannot be written: {reason}.")


def create_file(path: Path, content: bytes, *, mode: int) -> None:
    """
    Write a file that does not exist yet, with this mode from the start.

    Raises `ConfigurationError`, which names the file, if it exists (a link too) or cannot be written; nothing is left
    behind then.
    """
    reason = _created(path, content, mode)
    del content  # which no frame of the error is to hold
    if reason:
        raise ConfigurationError(f"{path} cannot be written: {reason}.")


def _created(path: Path, content: bytes, mode: int) -> str | None:
    """None, or why the file could not be written."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CLOSE_ON_EXEC | _BINARY
    try:
        descriptor = os.open(path, flags, mode)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    except OSError as failure:
        return failure.strerror or str(failure)
    return None


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, as far as they are missing. Raises `ConfigurationError`, which names it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        reason = "it is not a folder"
    except OSError as failure:
        reason = failure.strerror or str(failure)
    else:
        return
    raise ConfigurationError(f"{folder} cannot be written: {reason}.")


def check_target(path: Path) -> None:
    """
    Raise `ConfigurationError` when a file cannot be written for a reason that is seen at once: no such folder, no right
    to write there, or something else than a regular file of that name.
    """
    try:
        folder = _target(path).parent
        usable = os.access(folder, os.W_OK | os.X_OK)
        reason = "" if usable else os.strerror(errno.EACCES if folder.is_dir() else errno.ENOENT)
    except OSError as failure:
        reason = failure.strerror or str(failure)
    if reason:
        raise ConfigurationError(f"{path} cannot be written: {reason}.")


def _target(path: Path) -> Path:
    """The path with links resolved. Raises `OSError` for a dangling link and for anything but a regular file."""
    target = Path(os.path.realpath(path))
    if path.is_symlink() and not target.exists():
        raise OSError(f"it is a link to {target}, which is not there")
    if target.exists() and not target.is_file():
        raise OSError("it is not a regular file")
    return target


def _write(target: Path, write: Callable[[BinaryIO], object], mode: int, unnamed: int) -> None:
    before = target.stat() if target.exists() else None
    _delete_leftovers(target)
    folder = os.open(target.parent, os.O_RDONLY | _CLOSE_ON_EXEC) if unnamed else None
    try:
        with _temporary(target, mode if before is None else 0o600, unnamed) as (handle, name):
            with os.fdopen(os.dup(handle), "wb") as file:
                write(file)
                file.flush()
                if before is not None:
                    with suppress(OSError):  # only root can change the owner
                        os.chown(handle, before.st_uid, before.st_gid)
                    os.chmod(handle, stat.S_IMODE(before.st_mode))
                os.fsync(handle)
            if not _is_named(name, handle):
                # Python follows the link in /proc only with `src_dir_fd`.
                os.link(f"/proc/self/fd/{handle}", name, src_dir_fd=folder, follow_symlinks=True)
            os.replace(name, target)
        if folder is not None:
            with suppress(OSError):  # not every file system supports this for folders
                os.fsync(folder)  # flushes the new directory entry
    finally:
        if folder is not None:
            os.close(folder)


@contextmanager
def _temporary(target: Path, mode: int, unnamed: int) -> Iterator[tuple[int, Path]]:
    """
    The descriptor and the name of a new file in the target's folder, which is deleted at the end unless it was renamed.

    Where the system supports it, the file has no name until it is complete, so a killed writer leaves nothing behind.
    Elsewhere the writer holds a lock on it, which ends with the process: a file without a lock is a leftover.
    """
    while True:
        name = target.with_name(f".{target.name[:_MAX_NAME]}.{secrets.token_hex(4)}.tmp")
        handle, named = _create(name, mode, unnamed)
        try:
            if _try_lock(handle) and named and not _is_named(name, handle):
                continue  # another process deleted it before it was locked
            try:
                yield handle, name
            finally:
                if _is_named(name, handle):
                    name.unlink(missing_ok=True)
            return
        finally:
            os.close(handle)


def _create(name: Path, mode: int, unnamed: int) -> tuple[int, bool]:
    """A new file, and whether it has the name already."""
    if unnamed:
        with suppress(OSError):  # the file system does not support it
            return os.open(name.parent, os.O_WRONLY | unnamed | _CLOSE_ON_EXEC, mode), False
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _CLOSE_ON_EXEC, mode), True


def _delete_leftovers(target: Path) -> None:
    """Delete the temporary files of killed writers of the target."""
    pattern = re.compile(rf"\.{re.escape(target.name[:_MAX_NAME])}\.[0-9a-f]{{8}}\.tmp")
    with suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    _delete_if_unlocked(Path(entry.path))


def _delete_if_unlocked(path: Path) -> None:
    handle = os.open(path, os.O_RDWR | _NO_FOLLOW | _CLOSE_ON_EXEC)
    try:
        if _try_lock(handle) and _is_named(path, handle):
            path.unlink()
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    """Lock a file exclusively; False if another process holds the lock, or the system has no file locks."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_named(name: Path, handle: int) -> bool:
    """Whether the open file has that name."""
    try:
        return os.path.samestat(os.stat(name, follow_symlinks=False), os.fstat(handle))
    except FileNotFoundError:
        return False
