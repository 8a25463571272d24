"""A file is fetched from plain https addresses of allowed hosts only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from whatsapp_flows import ConfigurationError
from whatsapp_flows._allowed_hosts import CDN_HOSTS, AllowedHosts
from whatsapp_flows.media import MediaRefusedError

ALLOWED = AllowedHosts([*CDN_HOSTS, "lookaside.fbsbx.com", "http://127.0.0.1:8080/", "https://[::1]:8443"])


@pytest.mark.parametrize(
    "url",
    [
        "https://mmg.whatsapp.net/v/file?oh=01",
        "https://mmg.whatsapp.net",
        "HTTPS://MMG.WhatsApp.NET/file",
        "https://media-fra3-1.cdn.whatsapp.net:443/file",
        "https://xn--mnchen-3ya.whatsapp.net/file",
        "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
        "http://127.0.0.1:8080/cdn/1",
        "https://[::1]:8443/cdn/1",
        "https://mmg.whatsapp.net/@evil.example/%40?next=https://evil.example#https://evil.example",
    ],
)
def test_an_address_of_an_allowed_host_is_fetched(url: str) -> None:
    """Hosts below the name, in any case, on port 443; exact hosts; origins of one's own."""
    ALLOWED.check(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://mmg.whatsapp.net/file", "not https"),
        ("ftp://mmg.whatsapp.net/file", "not https"),
        ("file:///etc/passwd", "not https"),
        ("//mmg.whatsapp.net/file", "not https"),
        ("mmg.whatsapp.net/file", "not https"),
        ("data:text/plain,x", "not https"),
        ("https:///file", "no plain name"),
        ("https:mmg.whatsapp.net/file", "no plain name"),
        ("https://evil-whatsapp.net/file", "no allowed host"),
        ("https://whatsapp.net/file", "no allowed host"),
        ("https://mmg.whatsapp.net.evil.example/file", "no allowed host"),
        ("https://mmg.whatsapp.nett/file", "no allowed host"),
        ("https://evil.example/mmg.whatsapp.net", "no allowed host"),
        ("https://evil.example?.whatsapp.net", "no allowed host"),
        ("https://evil.example#.whatsapp.net", "no allowed host"),
        ("https://sub.lookaside.fbsbx.com/file", "no allowed host"),
        ("https://localhost/file", "no allowed host"),
        ("https://127.0.0.1/file", "no allowed host"),
        ("https://2130706433/file", "no allowed host"),
        ("https://[::1]/file", "no plain name"),
        ("https://[::ffff:127.0.0.1]/file", "no plain name"),
        ("https://[::1%25eth0]/file", "plain"),
        ("https://[mmg.whatsapp.net/file", "no plain URL"),
        ("https://user@mmg.whatsapp.net/file", "names a user"),
        ("https://mmg.whatsapp.net@evil.example/file", "names a user"),
        ("https://mmg.whatsapp.net:secret@evil.example/file", "names a user"),
        ("https://mmg.whatsapp.net:8443/file", "port"),
        ("https://mmg.whatsapp.net:22/file", "port"),
        ("https://mmg.whatsapp.net:/file", "port"),
        ("https://mmg.whatsapp.net:0443/file", "port"),
        ("https://mmg.whatsapp.net:99999999/file", "port"),
        ("https://mmg.whatsapp.net./file", "no plain name"),
        ("https://.whatsapp.net/file", "no plain name"),
        ("https://a..whatsapp.net/file", "no plain name"),
        ("https://-a.whatsapp.net/file", "no plain name"),
        ("https://a_b.whatsapp.net/file", "no plain name"),
        ("https://evil.example%2f.whatsapp.net/file", "no plain name"),
        ("https://evil.example\\.whatsapp.net/file", "no plain URL"),
        ("https://evil.example\\@mmg.whatsapp.net/file", "no plain URL"),
        ("https://mmg.whatsapp.net/a b", "no plain URL"),
        ("https://mmg.whatsapp.net/\r\nHost: evil.example", "no plain URL"),
        ("https://mmg.wh\tatsapp.net/file", "no plain URL"),
        ("\nhttps://mmg.whatsapp.net/file", "no plain URL"),
        ("https://mmg.whatsapp.n\u0435t/file", "no plain URL"),
        ("https://mmg\u3002whatsapp.net/file", "no plain URL"),
        ("https://\uff4dmg.whatsapp.net/file", "no plain URL"),
        (f"https://{'a.' * 127}whatsapp.net/file", "no plain name"),
        (f"https://{'a' * 64}.whatsapp.net/file", "no plain name"),
        (f"https://mmg.whatsapp.net/{'a' * 8192}", "no plain URL"),
        ("", "no plain URL"),
        ("https://127.0.0.1:8080/cdn/1", "no allowed host"),
        ("http://127.0.0.1:8081/cdn/1", "not https"),
        ("http://user@127.0.0.1:8080/cdn/1", "not https"),
        (None, "no plain URL"),
        (7, "no plain URL"),
    ],
)  # fmt: skip
def test_any_other_address_is_refused(url: Any, reason: str) -> None:
    """Schemes, neighbours of the name, addresses instead of names, users, ports, dots, other alphabets, controls."""
    with pytest.raises(MediaRefusedError, match=reason) as caught:
        ALLOWED.check(url)
    assert "secret" not in str(caught.value)


PIECES = st.sampled_from(
    ["https://", "http://", "mmg", ".", "whatsapp.net", "evil.example", "@", ":", "443", "/", "\\", "?", "#", "[", "]",
     "%2e", "\t", "\n", " ", "\u3002", "127.0.0.1", "::1", "-"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=9).map("".join))
def test_two_parsers_agree_where_an_accepted_address_leads(url: str) -> None:
    """What is accepted is below the allowed name for the standard library and for urllib3, which connects."""
    try:
        AllowedHosts(CDN_HOSTS).check(url)
    except MediaRefusedError:
        return
    parsed = parse_url(url)
    assert parsed.scheme == "https"
    assert parsed.host == urlsplit(url).hostname
    assert parsed.auth is None
    assert str(parsed.host).endswith(".whatsapp.net")
    assert parsed.port in {None, 443}


@pytest.mark.parametrize(
    "given",
    [None, 5, ".whatsapp.net", b".whatsapp.net", [""], ["."], ["*"], ["*.whatsapp.net"], ["whatsapp.net."], ["a..b"],
     [7], [None], ["https://user@a.example"], ["https://a.example/path"], ["ftp://a.example"], ["a.example:8443"],
     ["a b"]],
)  # fmt: skip
def test_a_list_that_means_nothing_is_refused(given: Any) -> None:
    """One text in place of a list, wildcards, paths, users: the constructor says what each entry may be."""
    with pytest.raises(ConfigurationError, match="allowed_hosts"):
        AllowedHosts(given)


@pytest.mark.parametrize(
    ("entry", "url", "allowed"),
    [
        ("localhost", "https://localhost:8443/f", True),
        ("127.0.0.1", "https://127.0.0.1:8443/f", True),
        (".localhost", "https://media.localhost:8443/f", True),
        ("localhost", "https://localhost/f", True),
        ("localhost", "http://localhost:8443/f", False),
        ("localhost", "https://localhost:/f", False),
        ("localhost", "https://localhost:0/f", False),
        ("localhost", "https://127.0.0.1:8443/f", False),
        ("example.net", "https://example.net:8443/f", False),
        ("127.evil.example", "https://127.evil.example:8443/f", False),
        ("localhost.evil.example", "https://localhost.evil.example:8443/f", False),
    ],
)
def test_a_loopback_host_that_is_listed_may_have_any_port(entry: str, url: str, allowed: bool) -> None:
    """A test's server has no port 443; a host on a network has no other."""
    hosts = AllowedHosts([entry])
    if allowed:
        hosts.check(url)
    else:
        with pytest.raises(MediaRefusedError):
            hosts.check(url)


def test_an_empty_list_allows_nothing() -> None:
    """No host is every host."""
    with pytest.raises(MediaRefusedError):
        AllowedHosts([]).check("https://mmg.whatsapp.net/file")
    assert repr(AllowedHosts([".a.example"])) == "('.a.example',)"
