"""
Which addresses a file may be fetched from.

The address comes out of a request or an answer, so it is input: only https, only hosts of a list, and only in the
plain form that every parser of URLs reads in the same way.

What a name resolves to is not looked at. Two things keep a download away from a private network, even if a resolver
answers with an address of it: the list names zones of Meta's, in which nobody else can make names; and TLS, since a
server there has no certificate for the name, and gets nothing but the name. Whoever adds a zone to the list should own
it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from ._endpoint_errors import MediaRefusedError
from ._wire import short_repr
from .errors import ConfigurationError

CDN_HOSTS: Final = (".whatsapp.net",)
"""Where encrypted files are kept. Meta's sample has mmg.whatsapp.net; that all are in this zone is an assumption."""

MEDIA_HOSTS: Final = ("lookaside.fbsbx.com",)
"""
The host in the answers of `GET /{media-id}`, which gets the access token. Observed by many; no page of Meta's names it.
"""

_MAX_URL: Final = 8192
_PLAIN: Final = r"[!-\[\]-~]+"  # visible ASCII without the backslash, which some parsers take for a slash
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = rf"{_LABEL}(\.{_LABEL})*"
_LOOPBACK: Final = r"(.+\.)?localhost|127(\.[0-9]{1,3}){3}"
_PORT: Final = "[1-9][0-9]{0,4}"
_ORIGIN: Final = r"https?://[^/?#@\\\s]+"


class AllowedHosts:
    """
    The hosts of a list: `.example.net` is every host below that name, `example.net` that host, each on port 443.

    `https://example.net:8443` or `http://127.0.0.1:8080` is that one origin, for a mirror or an emulator of your own. A
    loopback host, such as `localhost`, may have any port: it is there for tests. Raises `ConfigurationError` for
    anything else.
    """

    __slots__ = ("_names", "_origins", "given")

    def __init__(self, given: Iterable[str]) -> None:
        if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
            raise ConfigurationError('allowed_hosts must be a list of hosts, like [".whatsapp.net"].')
        self.given = tuple(given)
        self._names: list[str] = []
        self._origins: set[str] = set()
        for entry in self.given:
            if isinstance(entry, str) and re.fullmatch(rf"\.?{_NAME}", entry.lower()):
                self._names.append(entry.lower())
            elif isinstance(entry, str) and re.fullmatch(_ORIGIN, entry.rstrip("/").lower()):
                self._origins.add(entry.rstrip("/").lower())
            else:
                raise ConfigurationError(
                    "allowed_hosts: each must be .example.net (all hosts below it), example.net, or an origin like "
                    f"https://example.net:8443, not {short_repr(entry)}."
                )

    def check(self, url: str) -> None:
        """Raise `MediaRefusedError` unless the file may be fetched from that URL."""
        reason = self._refusal(url)
        if reason:
            raise MediaRefusedError(f"The address of the file is refused: {reason}.")

    def _refusal(self, url: str) -> str:
        """Why the address is refused; empty when it is allowed."""
        if not isinstance(url, str) or len(url) > _MAX_URL or not re.fullmatch(_PLAIN, url):
            return "it is no plain URL"
        try:
            parts = urlsplit(url)
        except ValueError:
            return "it is no plain URL"
        authority = parts.netloc.lower()
        if f"{parts.scheme}://{authority}" in self._origins:
            return ""
        if parts.scheme != "https":
            return "it is not https"
        if "@" in authority:
            return "it names a user"
        name, _, port = authority.partition(":")
        if len(name) > 253 or not re.fullmatch(_NAME, name):
            return "its host is no plain name"
        if not any(name.endswith(entry) if entry[0] == "." else name == entry for entry in self._names):
            return f"{name} is no allowed host"
        if ":" in authority and port != "443" and not (re.fullmatch(_LOOPBACK, name) and re.fullmatch(_PORT, port)):
            return "its port is not 443"
        return ""

    def __repr__(self) -> str:
        return repr(self.given)
