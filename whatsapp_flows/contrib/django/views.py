"""
Views of an endpoint or webhooks.

    from whatsapp_flows.contrib.django import flow_view

    urlpatterns = [path("flow", flow_view(endpoint))]           # under WSGI
    urlpatterns = [path("flow", async_flow_view(endpoint))]     # under ASGI

Neither needs the app in INSTALLED_APPS.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from ..._http_answer import HttpAnswer, Receiver
from ..._receiving import (
    INCOMPLETE,
    answer_without_body,
    check_receiver,
    ends_itself,
    environ_headers,
    joined,
    read_body,
    sent_headers,
    to_the_end,
)

__all__ = ["async_flow_view", "flow_view"]


def flow_view(receiver: Receiver) -> Callable[[HttpRequest], HttpResponse]:
    """
    The view of a `FlowEndpoint`, of `Webhooks`, or of both combined, for a project that is served by WSGI.

    POST goes to the receiver, GET to its `verify` if it has one; other methods are answered with 405. It is exempt
    from the CSRF check, and reads at most `receiver.max_body` + 1 bytes of a body: `DATA_UPLOAD_MAX_MEMORY_SIZE` does
    not matter here. Under ASGI Django runs such views one after the other: use `async_flow_view`.
    """
    check_receiver(receiver)

    def view(request: HttpRequest) -> HttpResponse:
        answer = _without_body(receiver, request)
        if answer is None:
            body = _read(request, receiver.max_body + 1)
            answer = INCOMPLETE if body is None else receiver.receive(body, _headers(request))
        return _response(answer)

    return csrf_exempt(view)


def async_flow_view(receiver: Receiver) -> Callable[[HttpRequest], Coroutine[Any, Any, HttpResponse]]:
    """
    The view for a project that is served by ASGI: as `flow_view`, and handlers run at the same time.

    Django has read the whole body, into a file if it is large, before it calls a view under ASGI. Where that matters,
    limit it in front of Django, or serve `contrib.asgi.app` beside it.
    """
    check_receiver(receiver)

    async def view(request: HttpRequest) -> HttpResponse:
        answer = _without_body(receiver, request)
        if answer is None:
            body = _read(request, receiver.max_body + 1)
            answer = INCOMPLETE if body is None else await to_the_end(receiver.areceive(body, _headers(request)))
        return _response(answer)

    return csrf_exempt(view)


def _without_body(receiver: Receiver, request: HttpRequest) -> HttpAnswer | None:
    return answer_without_body(receiver, request.method or "", request.META.get("QUERY_STRING", ""))


def _read(request: HttpRequest, most: int) -> bytes | None:
    """The body; Django itself takes one without Content-Length for empty under WSGI."""
    if ends_itself(request.META):
        return read_body(request.META["wsgi.input"], None, most)
    return read_body(request, request.META.get("CONTENT_LENGTH") or None, most)


def _headers(request: HttpRequest) -> dict[str, str]:
    return joined(environ_headers(request.META))


def _response(answer: HttpAnswer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status)
    del response["Content-Type"]  # Django's default
    for name, value in sent_headers(answer):
        response[name] = value
    return response
