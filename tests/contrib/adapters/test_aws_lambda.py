"""What is AWS Lambda's own: events of other services, and what gateways do to bodies and queries."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contrib.adapters import lambdas
from tests.contrib.adapters.receivers import Echo, VerifyingEcho
from tests.contrib.adapters.wires import Sent
from whatsapp_flows import ConfigurationError
from whatsapp_flows.contrib import aws_lambda


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Records": []},
        {"source": "aws.events", "detail-type": "Scheduled Event"},
        {"requestContext": {}},
        {"requestContext": None},
    ],
)
def test_an_event_of_another_service_is_named(event: dict[str, Any]) -> None:
    """A trigger that does not belong there is found at its first event."""
    with pytest.raises(ConfigurationError, match="neither API Gateway, a function URL nor a load balancer"):
        aws_lambda.handler(Echo())(event, None)


def test_a_result_is_text_where_it_can_be() -> None:
    """REST APIs without binary media types would send base64 as it is."""
    handle = aws_lambda.handler(Echo())
    result = handle(lambdas.rest_api(Sent(headers=(("X-Wanted", "427"),), body=b"{}")), None)
    assert result == {
        "statusCode": 427,
        "headers": {"Content-Type": "text/plain", "Content-Length": "12"},
        "body": "ZXhwaXJlZA==",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("shape", lambdas.SHAPES)
def test_an_event_without_optional_parts_is_read(shape: str) -> None:
    """No body, no query and no headers: absent or null, as each service has it."""
    event = lambdas.SHAPES[shape](Sent(method="GET", path="/hook"))
    for name in ("queryStringParameters", "multiValueQueryStringParameters", "rawQueryString", "headers", "body"):
        event.pop(name, None)
    assert aws_lambda.handler(VerifyingEcho())(event, None)["statusCode"] == 403


def test_an_event_without_a_context_is_read() -> None:
    """Tools that test a function by hand send null."""
    event = lambdas.rest_api(Sent(body=b"{}")) | {"requestContext": None}
    assert aws_lambda.handler(Echo())(event, None)["statusCode"] == 200


@pytest.mark.parametrize("body", ["e30", "e3!0=", "=", "\u00e9", "\ud800"])
def test_damaged_base64_is_refused(body: str) -> None:
    """With 400: the receiver is not asked, and nothing is raised."""
    echo = Echo()
    result = aws_lambda.handler(echo)(lambdas.http_api_in_base64(Sent()) | {"body": body}, None)
    assert (result["statusCode"], echo.finished) == (400, [])


def test_half_of_a_surrogate_pair_is_no_error() -> None:
    """JSON of an event may hold one; the receiver finds that it is not signed."""
    result = aws_lambda.handler(Echo())(lambdas.http_api(Sent(body=b"{}")) | {"body": "\ud800"}, None)
    assert result["statusCode"] == 200
