"""
Protection against requests that a web page of another site makes its visitor's browser send to this machine.

DNS rebinding (a host name of the attacker suddenly resolves to 127.0.0.1) shows in the Host header; a form posted
across sites shows in Origin and Sec-Fetch-Site.
Sources: RFC 9110, section 7.2; Fetch Standard, "Origin"; Fetch Metadata, "Sec-Fetch-Site".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

_READS: Final = frozenset({"GET", "HEAD"})
_OWN_SITE: Final = frozenset({"same-origin", "none"})  # "none": a person typed the address


def cross_site_refusal(method: str, headers: Mapping[str, str], hosts: Collection[str]) -> str | None:
    """
    The reason to refuse a request; None when there is none.

    IP addresses, `localhost` and the names in `hosts` are accepted as Host. A request without a Host header does not
    come from a browser. Reads from another site are accepted: browsers do not show the response to that site's page.
    """
    host = headers.get("Host")
    if host is not None and not _is_accepted(_host_name(host), hosts):
        return f"This server does not answer to the name {_host_name(host)!r}: allow it, if it is yours"
    if method in _READS:
        return None
    if headers.get("Sec-Fetch-Site", "none").strip().lower() not in _OWN_SITE:
        return "A page of another site may not send this"
    origin = headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc.lower() != (host or "").lower():
        return "A page of another origin may not send this"
    return None


def is_loopback(address: str) -> bool:
    """Whether a text is a loopback address, IPv4 or IPv6."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _host_name(host: str) -> str:
    """The host of a Host header, without its port."""
    try:
        return (urlsplit(f"//{host.strip()}").hostname or "").rstrip(".")
    except ValueError:
        return host


def _is_accepted(name: str, hosts: Collection[str]) -> bool:
    if name == "localhost" or name.endswith(".localhost") or name in hosts:
        return True
    try:
        return bool(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        return False
