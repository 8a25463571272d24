"""
The check of an endpoint at a URL: Meta's health check, and optionally requests with faults that it has to refuse.

A ping passes stages in a fixed order. It fails at most one of them; those before it are passed, and those after it
cannot be told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from ..._dataclasses import replace
from ..._endpoint_report import CheckCategory, CheckResult, EndpointFinding, EndpointReport
from ..._wire import Secret
from ...errors import ConfigurationError
from ._client import EndpointClient
from ._exchange import TIME_LIMIT
from ._reply import CallOutcome, EndpointReply
from ._tamper import Tamper
from ._url import checked_url

_NO_SECRET: Final = Secret("no app's secret")


class _Stage(NamedTuple):
    """What a ping has to pass, what is said when it has, and what to do when it has not."""

    name: str
    category: CheckCategory
    passed: str
    advice: str


_STAGES: Final = (
    _Stage("connection", "reachability", "The host is reached.", "Check the host's name, its port and its firewall."),
    _Stage(
        "tls",
        "reachability",
        "The certificate is trusted.",
        "Use a certificate of a public authority for this host name, with its whole chain.",
    ),
    _Stage(
        "answer", "reachability", "A complete answer arrives.", "Look into the log of the server, and of its proxy."
    ),
    _Stage(
        "signature",
        "configuration",
        "The signature is accepted.",
        "Give the endpoint the app secret of the app that is connected to the Flow.",
    ),
    _Stage("status", "reachability", "The status is 200.", "Look into the log of the server, and of its proxy."),
    _Stage(
        "decryption",
        "encryption",
        "The endpoint decrypts the request.",
        "Give the endpoint the private key of this public key, or register the public key of the endpoint.",
    ),
    _Stage(
        "encryption",
        "encryption",
        "The answer is encrypted as it must be.",
        "Encrypt with the key of the request and its IV with every bit inverted, and send the bare base64 text.",
    ),
    _Stage(
        "payload",
        "payload",
        "The answer says that the endpoint is active.",
        'Answer the action "ping" with {"data": {"status": "active"}}, before anything else.',
    ),
)
_FAILS_AT: Final[Mapping[CallOutcome, str]] = {
    "not-reached": "connection",
    "not-trusted": "tls",
    "no-answer": "answer",
    "timeout": "answer",
    "too-large": "answer",
    "bad-signature": "signature",
    "unexpected-status": "status",
    "token-refused": "status",
    "not-decrypted": "decryption",
    "unreadable": "encryption",
    "bad-payload": "payload",
}
# Seconds -> what they mean; the longest that was reached counts. The levels of Meta's alerts are documented.
_LATENCIES: Final = (
    (7.0, "Meta's alerts go up to 7 s, and a user waits 10 s at most."),
    (5.0, "Meta's second alert begins at 5 s."),
    (1.0, "Meta asks for less than 1 s, and its first alert begins there."),
)
# Requests that an endpoint must refuse: what is sent, the status that answers it, and what another answer means.
_FAULTS: Final[tuple[tuple[str, CheckCategory, Tamper, int, str, str], ...]] = (
    (
        "no-signature", "configuration", "no-signature", 432,
        "A request without a signature", "Verify the signature of each request: anybody could send one.",
    ),
    (
        "wrong-signature", "configuration", "wrong-signature", 432,
        "A request with a wrong signature", "Verify the signature of each request: anybody could send one.",
    ),
    (
        "foreign-key", "encryption", "wrong-key", 421,
        "A request for another key", "Answer it with 421, so that clients fetch the new key after a rotation.",
    ),
)  # fmt: skip


def check_url(
    url: str,
    public_key: str | bytes,
    app_secret: Secret | None = None,
    *,
    faults: bool = True,
    version: str = "3.0",
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> EndpointReport:
    """
    Send a health check to a URL as Meta's client does, and with `faults` three requests that must be refused.

    `version` is the data API version. Raises `ConfigurationError` for a key or a secret that cannot be used; a URL that
    Meta would not call is a failed check.
    """
    try:
        checked_url(url)
    except ConfigurationError as error:
        check = EndpointFinding(name="url", category="configuration", result="failed", message=error.message)
        return EndpointReport(endpoint_uri=url, checks=(check, *_skipped(faults)))
    with EndpointClient(url, public_key, app_secret, version=version, sleep=sleep, clock=clock) as client:
        reply = client.ping()
        checks = [_url_check(url), *_stages(reply, url, signed=app_secret is not None)]
        checks += _answer_checks(reply)
        if app_secret is None and reply.ok:
            checks.append(_accepted_unsigned())
        if faults:
            signed = EndpointClient(url, public_key, app_secret or _NO_SECRET, version=version, clock=clock)
            with signed:
                known = {check.name for check in checks}
                checks += [check for check in _fault_checks(signed, sent=reply.ok) if check.name not in known]
    seconds = reply.seconds if reply.status is not None else None
    return EndpointReport(endpoint_uri=url, checks=tuple(checks), seconds=seconds)


def _url_check(url: str) -> EndpointFinding:
    check = EndpointFinding(name="url", category="configuration", result="passed", message="The URL is one for Meta.")
    if url.startswith("https:"):
        return check
    return replace(
        check, result="warning", message="The URL is http, and of this machine.", advice="Meta calls https alone."
    )


def _stages(reply: EndpointReply, url: str, *, signed: bool) -> Iterator[EndpointFinding]:
    """The stages of a ping: passed up to the one at which it failed, skipped after it."""
    failing = None if reply.ok else _FAILS_AT[reply.outcome]
    result: CheckResult = "passed"
    for stage in _STAGES:
        if stage.name == failing:
            result = "failed"
        check = EndpointFinding(name=stage.name, category=stage.category, result=result, message=stage.passed)
        if result == "failed":
            yield _failed(check, stage, reply, signed=signed)
            result = "skipped"
        elif result == "skipped":
            yield replace(check, message=_SKIPPED)
        elif (stage.name == "tls" and not url.startswith("https:")) or (stage.name == "signature" and not signed):
            yield replace(check, result="skipped", message=_NOT_USED[stage.name])
        else:
            yield check


_SKIPPED: Final = "Not checked: an earlier check failed."
_NOT_USED: Final = {"tls": "Not checked: the URL is http.", "signature": "Not checked: no app secret was given."}


def _failed(check: EndpointFinding, stage: _Stage, reply: EndpointReply, *, signed: bool) -> EndpointFinding:
    if reply.outcome == "token-refused":
        advice = "Answer a ping before the flow token is looked at: a ping has none."
        return replace(check, message="HTTP 427: the endpoint refuses the flow token of a ping.", advice=advice)
    if reply.outcome == "bad-signature" and not signed:
        message = "The endpoint refuses a request without a signature, as it should; the rest cannot be checked."
        return replace(check, message=message, advice="Give the app secret.")
    return replace(check, message=reply.problem, advice=stage.advice)


def _answer_checks(reply: EndpointReply) -> Iterator[EndpointFinding]:
    """Of an answer that the client can use: its content type, and how long it took."""
    content_type = EndpointFinding(
        name="content-type", category="payload", result="passed", message="The content type is text/plain."
    )
    latency = EndpointFinding(
        name="latency",
        category="reachability",
        result="passed",
        message=f"The answer took {reply.seconds:.2f} s, with connecting; the limit is {TIME_LIMIT:g} s.",
    )
    if not reply.ok:
        yield replace(content_type, result="skipped", message=_SKIPPED)
        yield replace(latency, result="skipped", message=_SKIPPED)
        return
    if reply.content_type.partition(";")[0].strip().lower() != "text/plain":
        given = "missing" if not reply.content_type else "another one"
        yield replace(
            content_type,
            result="warning",
            message=f"The content type is {given}; Meta's guide has text/plain.",
            advice="Send the header Content-Type: text/plain.",
        )
    else:
        yield content_type
    advice = next((text for level, text in _LATENCIES if reply.seconds >= level), "")
    yield replace(latency, result="warning", advice=advice) if advice else latency


def _accepted_unsigned() -> EndpointFinding:
    name, category, _, _, what, advice = _FAULTS[0]
    message = f"{what} is answered with 200."
    return EndpointFinding(name=name, category=category, result="failed", message=message, advice=advice)


def _fault_checks(client: EndpointClient, *, sent: bool) -> Iterator[EndpointFinding]:
    for name, category, tamper, status, what, advice in _FAULTS:
        check = EndpointFinding(name=name, category=category, result="skipped", message=_SKIPPED)
        if sent:
            reply = client.ping(tamper=tamper)
            answered = f"HTTP {reply.status}" if reply.status is not None else "no answer"
            check = replace(check, result="passed", message=f"{what} is refused with {status}.")
            if reply.status != status:
                message = f"{what} must be refused with {status}; the answer was {answered}."
                check = replace(check, result="failed", message=message, advice=advice)
        yield check


def _skipped(faults: bool) -> Iterator[EndpointFinding]:
    """All checks after that of the URL."""
    reply = EndpointReply(outcome="not-reached")
    for stage in _STAGES:
        yield EndpointFinding(name=stage.name, category=stage.category, result="skipped", message=_SKIPPED)
    yield from _answer_checks(reply)
    if faults:
        for name, category, *_ in _FAULTS:
            yield EndpointFinding(name=name, category=category, result="skipped", message=_SKIPPED)
