"""Reading whole files: regular ones, up to a maximum size."""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO, Final

_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)  # O_NONBLOCK: opening a FIFO without a writer would block for ever


def is_no_file(failure: OSError) -> bool:
    """Whether the file could not be opened because it is a folder, a FIFO, a socket or a device."""
    return failure.errno in {errno.EISDIR, errno.EINVAL, errno.ENXIO}


def is_too_large(failure: OSError) -> bool:
    """Whether the file was refused because it is larger than the maximum."""
    return failure.errno == errno.EFBIG


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading. Raises `OSError`, without blocking, for a FIFO, a device or a folder."""
    handle = os.open(path, _FLAGS)
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: str | os.PathLike[str], most: int) -> bytes:
    """The content of a file of at most `most` bytes. Raises `OSError` for a larger file before it is read."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = b"" if size > most else file.read(most + 1)
    if size > most or len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {most} bytes")
    return content
