"""The URL of a Flow's endpoint, as a host passes it."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from .errors import ConfigurationError


def endpoint_url(url: str, *, begins: str) -> SplitResult:
    """
    The parts of the URL. `begins` says in a message how it has to begin.

    Raises `ConfigurationError` unless it is http or https and names a host, and for a user name or a password in it,
    which would get into a log.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = SplitResult("", "", "", "", ""), None
    if parts.scheme not in {"http", "https"} or not host or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigurationError(f"the URL of the endpoint must begin with {begins} and name a host.")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("the URL of the endpoint must not have a user name or a password.")
    return parts
