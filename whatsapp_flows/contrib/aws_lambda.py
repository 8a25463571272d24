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
from typing import Any
from urllib.parse import urlencode

from .._http_answer import HttpAnswer, Receiver
from .._receiving import answer_without_body, joined, sent_headers, status_line
from ..errors import ConfigurationError

__all__ = ["handler"]

_Event = Mapping[str, Any]


def handler(receiver: Receiver) -> Callable[[_Event, object], dict[str, Any]]:
    """
    The Lambda function of a `FlowEndpoint`, of `Webhooks`, or of both combined.

    It takes the events of API Gateway (payload formats 1.0 and 2.0), of function URLs and of Application Load Balancers
    (with and without multi-value headers). POST goes to the receiver, GET to its `verify` if it has one; other methods
    are answered with 405. Handlers run in the calling thread. Any other event is a `ConfigurationError`.
    """

    def handle(event: _Event, context: object) -> dict[str, Any]:
        answer = answer_without_body(receiver, *_method_and_query(event))
        if answer is None:
            body = _body(event)[: receiver.max_body + 1]
            answer = receiver.receive(body, joined(_headers(event)))
        return _result(answer, event)

    return handle


def _method_and_query(event: _Event) -> tuple[str, str]:
    if "http" in event.get("requestContext", {}):  # format 2.0
        return event["requestContext"]["http"]["method"], event.get("rawQueryString", "")
    if "httpMethod" not in event:
        raise ConfigurationError("the event is of neither API Gateway, a function URL nor a load balancer.")
    one, several = event.get("queryStringParameters"), event.get("multiValueQueryStringParameters")
    pairs = list((one or {}).items()) or [(name, value) for name, values in (several or {}).items() for value in values]
    if "elb" in event.get("requestContext", {}):  # a load balancer leaves them percent-encoded
        return event["httpMethod"], "&".join(f"{name}={value}" for name, value in pairs)
    return event["httpMethod"], urlencode(pairs)


def _headers(event: _Event) -> Iterator[tuple[str, str]]:
    for name, values in (event.get("multiValueHeaders") or {}).items():
        yield from ((name, value) for value in values)
    if not event.get("multiValueHeaders"):
        yield from (event.get("headers") or {}).items()


def _body(event: _Event) -> bytes:
    body = event.get("body") or ""
    return b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")


def _result(answer: HttpAnswer, event: _Event) -> dict[str, Any]:
    """What the function returns. A load balancer takes the kind of headers that it has sent."""
    headers = sent_headers(answer)
    multiple = "headers" not in event and "multiValueHeaders" in event
    result = _text_or_base64(answer.body) | {"statusCode": answer.status}
    if "elb" in event.get("requestContext", {}):
        result["statusDescription"] = status_line(answer.status)
    if multiple:
        return result | {"multiValueHeaders": {name: [value] for name, value in headers}}
    return result | {"headers": dict(headers)}


def _text_or_base64(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": b64encode(body).decode("ascii"), "isBase64Encoded": True}
