"""A request as the event of a Lambda function, in each of the shapes that AWS documents, and its result as a reply."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from tests.contrib.adapters.wires import Reply, Sent

Event = dict[str, Any]


def _several(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _joined(sent: Sent) -> dict[str, str]:
    names = _several([(name.lower(), value) for name, value in sent.all_headers()])
    return {name: ",".join(values) for name, values in names.items()}


def _body(sent: Sent) -> Event:
    """Text where it is text, as gateways send JSON; else base64."""
    try:
        return {"body": sent.body.decode() or None, "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": b64encode(sent.body).decode(), "isBase64Encoded": True}


def rest_api(sent: Sent) -> Event:
    """API Gateway, REST API: payload format 1.0, query decoded, headers in both forms."""
    query = parse_qsl(sent.query, keep_blank_values=True)
    headers = sent.all_headers()
    return {
        "resource": "/{proxy+}",
        "path": sent.path,
        "httpMethod": sent.method,
        "headers": dict(headers),
        "multiValueHeaders": _several(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _several(query) or None,
        "pathParameters": {"proxy": sent.path[1:]},
        "stageVariables": None,
        "requestContext": {"httpMethod": sent.method, "stage": "prod", "requestId": "1", "identity": {}},
        **_body(sent),
    }


def http_api(sent: Sent) -> Event:
    """API Gateway, HTTP API, and function URLs: payload format 2.0, names in lower case, repeated headers joined."""
    headers = _joined(sent)
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": sent.path,
        "rawQueryString": sent.query,
        "headers": headers,
        "requestContext": {
            "http": {"method": sent.method, "path": sent.path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "requestId": "1",
            "stage": "$default",
        },
        "isBase64Encoded": False,
        **_body(sent),
    }
    if event["body"] is None:
        del event["body"]
    return event


def http_api_in_base64(sent: Sent) -> Event:
    """As a function URL sends what it does not take for text."""
    return http_api(sent) | {"body": b64encode(sent.body).decode(), "isBase64Encoded": True}


def load_balancer(sent: Sent) -> Event:
    """Application Load Balancer: the query as it was sent, an empty text for no body."""
    pairs = [pair.partition("=")[::2] for pair in sent.query.split("&") if pair]
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:region:1:targetgroup/flow/1"}},
        "httpMethod": sent.method,
        "path": sent.path,
        "queryStringParameters": dict(pairs),
        "headers": _joined(sent),
        **{name: value or "" for name, value in _body(sent).items()},
    }


def load_balancer_with_multi_value_headers(sent: Sent) -> Event:
    """The same with the attribute `lambda.multi_value_headers.enabled`: other keys, in both directions."""
    event = load_balancer(sent)
    query = event.pop("queryStringParameters")
    del event["headers"]
    return event | {
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
        "multiValueHeaders": _several([(name.lower(), value) for name, value in sent.all_headers()]),
    }


SHAPES: Final[Mapping[str, Callable[[Sent], Event]]] = {
    "lambda rest api": rest_api,
    "lambda http api": http_api,
    "lambda function url in base64": http_api_in_base64,
    "lambda load balancer": load_balancer,
    "lambda load balancer multi": load_balancer_with_multi_value_headers,
}


def as_reply(result: Mapping[str, Any], shape: str) -> Reply:
    """What AWS makes of a result; a load balancer reads the kind of headers that it has sent."""
    if shape == "lambda load balancer multi":
        headers = [(name, value) for name, values in result["multiValueHeaders"].items() for value in values]
        assert "headers" not in result
    else:
        headers = list(result["headers"].items())
        assert "multiValueHeaders" not in result
    if "load balancer" in shape:
        assert result["statusDescription"].startswith(f"{result['statusCode']} ")
    body = b64decode(result["body"], validate=True) if result["isBase64Encoded"] else result["body"].encode()
    return Reply(status=result["statusCode"], headers=tuple(headers), body=body)
