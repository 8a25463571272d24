"""Proxies and CA bundles from environment variables, read as requests reads them, for aiohttp sessions of our own."""

from __future__ import annotations

import os
import ssl
from typing import Final
from urllib.request import getproxies, proxy_bypass

from .._wire import short_repr
from ..errors import ConfigurationError

_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_VARIABLES: Final = (*_PROXIES, *map(str.lower, _PROXIES), *_BUNDLES, "REQUEST_METHOD")  # the last for httpoxy


class BundleError(OSError):
    """A variable names a CA bundle that cannot be loaded."""


class ProxyEnvironment:
    """
    The proxy and the trusted certificates for an address, cached until one of the variables changes.

    aiohttp's own `trust_env` uses two threads for each request, and reads netrc, whose passwords must not be sent.
    """

    def __init__(self) -> None:
        self._variables: tuple[str | None, ...] = ()
        self._proxies: dict[tuple[str, str, int], str | None] = {}
        self._trust: ssl.SSLContext | bool | None = None

    def proxy(self, scheme: str, host: str, port: int) -> str | None:
        """
        The proxy for this address, or None.

        `NO_PROXY` is read as the standard library does. Raises `ConfigurationError` for a proxy that is not HTTP's.
        """
        self._refresh()
        key = scheme, host, port
        if key not in self._proxies:
            self._proxies[key] = _proxy(scheme, host, port)
        return self._proxies[key]

    def trust(self) -> ssl.SSLContext | bool:
        """A context that trusts the CA bundle (file or folder), or True for OpenSSL's default. Raises `BundleError`."""
        self._refresh()
        if self._trust is None:
            self._trust = _trust()
        return self._trust

    def _refresh(self) -> None:
        variables = tuple(map(os.environ.get, _VARIABLES))
        if variables != self._variables:
            self._variables, self._proxies, self._trust = variables, {}, None


def _proxy(scheme: str, host: str, port: int) -> str | None:
    if proxy_bypass(host) or proxy_bypass(f"{host}:{port}"):
        return None
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy:
        return None
    kind, found, _ = proxy.partition("://")
    if found and kind not in {"http", "https"}:
        raise ConfigurationError(
            f"the environment names a {short_repr(kind)} proxy: aiohttp speaks to HTTP proxies only."
        )
    return proxy if found else f"http://{proxy}"


def _trust() -> ssl.SSLContext | bool:
    bundle = next(filter(None, map(os.environ.get, _BUNDLES)), None)
    if bundle is None:
        return True
    folder = os.path.isdir(bundle)
    try:
        return ssl.create_default_context(cafile=None if folder else bundle, capath=bundle if folder else None)
    except OSError as problem:  # an SSLError is one
        raise BundleError(f"the CA bundle cannot be used: {problem.strerror or problem}") from None
