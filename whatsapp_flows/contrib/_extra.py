"""What a module of `contrib` needs, looked for before its imports fail with the name of some package."""

from __future__ import annotations

from importlib.util import find_spec


def missing(extra: str, *packages: str) -> str:
    """What an `ImportError` says of the packages of an extra that are not installed; empty when all are."""
    absent = [package for package in packages if not _there(package)]
    if not absent:
        return ""
    return f'whatsapp_flows.contrib.{extra} needs {" and ".join(absent)}: pip install "whatsapp-flows-sdk[{extra}]"'


def _there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # its parent is not there, or it is being hidden
        return False
