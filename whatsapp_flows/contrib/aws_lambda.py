"""
AWS Lambda: an endpoint or webhooks behind API Gateway (REST and HTTP APIs), a function URL or a load balancer.

    from whatsapp_flows.contrib import aws_lambda

    handler = aws_lambda.handler(endpoint)    # the function's handler: module.handler

Sources: AWS Lambda developer guide, "Invoking a Lambda function URL", "Process Application Load Balancer requests";
API Gateway developer guide, "Lambda proxy integrations" and payload format versions 1.0 and 2.0.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlencode

from .._http_answer import HttpAnswer, Receiver
from .._receiving import INCOMPLETE, answer_without_body, check_receiver, joined, sent_headers, status_line
from ..errors import ConfigurationError

__all__ = ["handler"]

_Event = Mapping[str, Any]


def handler(receiver: Receiver) -> Callable[[_Event, object], dict[str, Any]]:
    """
    The Lambda function of a `FlowEndpoint`, of `Webhooks`, or of both combined.

    It takes the events of API Gateway (payload formats 1.0 and 2.0), of function URLs and of Application Load Balancers
    (with and without multi-value headers). POST goes to the receiver, GET to its `verify` if it has one; other methods
    are answered with 405, and a body whose base64 is damaged with 400. Handlers run in the calling thread. Any other
    event is a `ConfigurationError`.
    """
    check_receiver(receiver)

    def handle(event: _Event, context: object) -> dict[str, Any]:
        answer = answer_without_body(receiver, *_method_and_query(event))
        if answer is None:
            body = _body(event)
            answer = (
                INCOMPLETE if body is None else receiver.receive(body[: receiver.max_body + 1], joined(_headers(event)))
            )
        return _result(answer, event)

    return handle


def _method_and_query(event: _Event) -> tuple[str, str]:
    if "http" in _context(event):  # format 2.0
        return _context(event)["http"]["method"], event.get("rawQueryString") or ""
    if "httpMethod" not in event:
        raise ConfigurationError("the event is of neither API Gateway, a function URL nor a load balancer.")
    one, several = event.get("queryStringParameters"), event.get("multiValueQueryStringParameters")
    pairs = list((one or {}).items()) or [(name, value) for name, values in (several or {}).items() for value in values]
    if "elb" in _context(event):  # a load balancer leaves them percent-encoded
        return event["httpMethod"], "&".join(f"{name}={value}" for name, value in pairs)
    return event["httpMethod"], urlencode(pairs)


def _context(event: _Event) -> Mapping[str, Any]:
    """`requestContext`; events of other services leave it out, or have null there."""
    return event.get("requestContext") or {}


def _headers(event: _Event) -> Iterator[tuple[str, str]]:
    for name, values in (event.get("multiValueHeaders") or {}).items():
        yield from ((name, value) for value in values)
    if not event.get("multiValueHeaders"):
        yield from (event.get("headers") or {}).items()


def _body(event: _Event) -> bytes | None:
    """The body; None if it is said to be base64 and is not."""
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return cast(str, body).encode("utf-8", "surrogatepass")
    try:
        return b64decode(body, validate=True)
    except ValueError:  # binascii.Error, and that of a character beyond ASCII
        return None


def _result(answer: HttpAnswer, event: _Event) -> dict[str, Any]:
    """What the function returns. A load balancer takes the kind of headers that it has sent."""
    headers = sent_headers(answer)
    multiple = "headers" not in event and "multiValueHeaders" in event
    result = _text_or_base64(answer.body) | {"statusCode": answer.status}
    if "elb" in _context(event):
        result["statusDescription"] = status_line(answer.status)
    if multiple:
        return result | {"multiValueHeaders": {name: [value] for name, value in headers}}
    return result | {"headers": dict(headers)}


def _text_or_base64(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": b64encode(body).decode("ascii"), "isBase64Encoded": True}
