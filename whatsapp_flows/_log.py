"""The logger `whatsapp_flows`. No record of it can forge a line of a log."""

from __future__ import annotations

import logging
import traceback
from typing import Final

from ._inert import inert


class _InertRecords(logging.Filter):
    """
    What a record quotes (flow names, Meta's messages, file names) is made inert: no line of the log can be forged.

    On the logger itself, so that it applies to every module that logs there. The traceback of a host's exception keeps
    its lines; the exception's own text becomes one.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Every record passes."""
        if isinstance(record.args, tuple):
            record.args = tuple(map(_inert_argument, record.args))
        if record.exc_info and record.exc_info[1] is not None and not record.exc_text:
            record.exc_text = _traceback_text(record.exc_info[1])
        return True


def _inert_argument(value: object) -> object:
    return inert(str(value)) if isinstance(value, (str, BaseException)) else value


def _traceback_text(error: BaseException) -> str:
    """As the logging module writes it, but for the texts of the exceptions."""
    chunks = traceback.TracebackException.from_exception(error).format()
    frames = ("  File ", "Traceback (most recent call last)", "\nThe above exception", "\nDuring handling")
    return "".join(it if it.startswith(frames) else f"{inert(it.rstrip())}\n" for it in chunks).rstrip("\n")


_PACKAGE: Final = __file__.rpartition("_log")[0]


def place_of(error: BaseException) -> str:
    """
    The type of an exception, the line of the host's function, and the line that raised it.

    The text is left out: it may quote what a user has entered, or a token.
    """
    name = type(error).__qualname__
    trace = traceback.walk_tb(error.__traceback__)
    frames = [(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in trace]
    host = [frame for frame in frames if not frame[0].startswith(_PACKAGE)]
    if not host:
        return name
    places = [f"{function} ({path}:{line})" for path, line, function in dict.fromkeys((host[0], host[-1]))]
    return f"{name} in {', from '.join(reversed(places))}"


logger: Final = logging.getLogger("whatsapp_flows")
logger.addFilter(_InertRecords())
logger.addHandler(logging.NullHandler())  # a host that has set up no logging sees nothing, as with any library
