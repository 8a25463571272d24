"""
Who may talk to the preview: the browser that was opened with its address, and no page of another site.

Rule 1: the address that is shown has a random token. Opening it sets a cookie, and a redirect takes the token out of
the address bar. Everything else needs the cookie.
Rule 2: the Host is this machine (DNS rebinding), and an Origin, where a browser sends one, is that host.
Rule 3: the address that the browser is started with is in the list of processes, which other users of the machine can
read: its token works once, and is another one.

Sources: RFC 6265bis, sections 4.1.2.5 and 5.5 (`HttpOnly`, `SameSite`); Fetch Metadata, "Sec-Fetch-Site".
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

from .._server import cross_site_refusal, is_loopback
from .._wire import Secret

_TOKEN_BYTES: Final = 32
_MAX_SPARE: Final = 16  # tokens of addresses that a browser was started with, and has not opened yet


class Access:
    """
    The tokens of one preview. `loopback`: it listens on this machine only, so that it has no other name.

    `hosts` are further names that are accepted in the Host header.
    """

    def __init__(self, *, loopback: bool, hosts: Collection[str] = ()) -> None:
        self.token: Final = Secret(secrets.token_urlsafe(_TOKEN_BYTES))
        self._cookie_value: Final = Secret(secrets.token_urlsafe(_TOKEN_BYTES))
        self._once: list[Secret] = []
        self._lock = threading.Lock()
        self._loopback = loopback
        self._hosts = frozenset(host.lower() for host in hosts)

    def token_for_once(self) -> Secret:
        """A token that works once; of those that are never used, only the last few are kept."""
        token = Secret(secrets.token_urlsafe(_TOKEN_BYTES))
        with self._lock:
            self._once = [*self._once[1 - _MAX_SPARE :], token]
        return token

    def foreign(self, method: str, headers: Mapping[str, str]) -> str | None:
        """The reason to refuse a request for where it comes from."""
        host = headers.get("Host", "")
        if self._loopback and host and not self._is_this_machine(host):
            return f"This preview does not answer to the name {_name(host)!r}"
        origin = headers.get("Origin")
        if origin is not None and _netloc(origin) != host.strip().lower():
            return "A page of another origin may not send this"
        return cross_site_refusal(method, headers, self._hosts)

    def _is_this_machine(self, host: str) -> bool:
        name = _name(host)
        return name in self._hosts or name == "localhost" or name.endswith(".localhost") or is_loopback(name)

    def opens(self, query: str) -> bool:
        """Whether the query of an address has a valid token; one that works once is used up."""
        given = _token(query) or ""
        if _same(given, self.token):
            return True
        with self._lock:
            used = next((token for token in self._once if _same(given, token)), None)
            if used is not None:
                self._once.remove(used)
        return used is not None

    def admits(self, cookies: str, port: int) -> bool:
        """Whether a Cookie header holds this preview's cookie."""
        pairs = (pair.strip().partition("=") for pair in cookies.split(";"))
        return any(name == _cookie_name(port) and _same(value, self._cookie_value) for name, _, value in pairs)

    def cookie(self, port: int) -> str:
        """The Set-Cookie header."""
        return f"{_cookie_name(port)}={self._cookie_value.reveal()}; Path=/; HttpOnly; SameSite=Strict"


def has_token(query: str) -> bool:
    """Whether the query of an address has a token, valid or not."""
    return _token(query) is not None


def _token(query: str) -> str | None:
    try:
        return parse_qs(query, keep_blank_values=True, max_num_fields=20).get("token", [None])[0]
    except ValueError:
        return ""  # too many fields: no address of ours


def _cookie_name(port: int) -> str:
    """Cookies are shared by all ports of a host (RFC 6265, section 8.5), so each preview has a name of its own."""
    return f"whatsapp_flows_preview_{port}"


def _same(given: str, expected: Secret) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), expected.reveal().encode())


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host.strip()}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _netloc(origin: str) -> str:
    """The host and port of an Origin; empty for `null` and for what is no URL."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
