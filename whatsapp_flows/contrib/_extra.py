"""Checks for the packages of an extra, before an import fails without naming the extra."""

from __future__ import annotations

from importlib.util import find_spec


def missing(extra: str, *packages: str) -> str:
    """The message of an `ImportError` for the packages of an extra that are not installed; empty when all are."""
    absent = [package for package in packages if not _is_installed(package)]
    if not absent:
        return ""
    return f'whatsapp_flows.contrib.{extra} needs {" and ".join(absent)}: pip install "whatsapp-flows-sdk[{extra}]"'


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # its parent is not installed, or a test hides it
        return False
