"""
Requests that a browser was tricked into: refused before anything is looked at.

A page of a stranger can make its visitor's browser send requests to this machine. DNS rebinding (its name suddenly
stands for 127.0.0.1) shows in the Host header, a form that posts across sites in Origin and Sec-Fetch-Site.
Sources: RFC 9110, section 7.2; Fetch Standard, "Origin"; Fetch Metadata, "Sec-Fetch-Site".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

_READS: Final = frozenset({"GET", "HEAD"})
_OWN_SITE: Final = frozenset({"same-origin", "none"})  # "none": a person typed the address


def refusal_of(method: str, headers: Mapping[str, str], hosts: Collection[str]) -> str | None:
    """
    Why a request is not answered; None when it is.

    An address stands for itself, and so do `localhost` and the names in `hosts`. Without a Host header it came from
    no browser. A read from another site is answered: its page does not get to see it.
    """
    host = headers.get("Host")
    if host is not None and not _is_ours(_name_of(host), hosts):
        return f"This server does not answer to the name {_name_of(host)!r}: allow it, if it is yours"
    if method in _READS:
        return None
    if headers.get("Sec-Fetch-Site", "none").strip().lower() not in _OWN_SITE:
        return "A page of another site may not send this"
    origin = headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc.lower() != (host or "").lower():
        return "A page of another origin may not send this"
    return None


def is_loopback(address: str) -> bool:
    """Whether a text is an address of this machine alone."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _name_of(host: str) -> str:
    """The host of a Host header, without its port."""
    try:
        return (urlsplit(f"//{host.strip()}").hostname or "").rstrip(".")
    except ValueError:
        return host


def _is_ours(name: str, hosts: Collection[str]) -> bool:
    if name == "localhost" or name.endswith(".localhost") or name in hosts:
        return True
    try:
        return bool(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        return False
