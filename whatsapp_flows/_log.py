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


logger: Final = logging.getLogger("whatsapp_flows")
logger.addFilter(_InertRecords())
logger.addHandler(logging.NullHandler())  # a host that has set up no logging sees nothing, as with any library
