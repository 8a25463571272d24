"""
WSGI: an endpoint or webhooks as an application, for gunicorn, uWSGI, mod_wsgi or waitress.

    from whatsapp_flows.contrib import wsgi

    application = wsgi.app(endpoint)          # gunicorn --threads 8 module:application

It answers on every path. Source: PEP 3333.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .._http_answer import HttpAnswer, Receiver
from .._receiving import (
    INCOMPLETE,
    answer_without_body,
    check_receiver,
    ends_itself,
    environ_headers,
    joined,
    read_body,
    sent_headers,
    status_line,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["app"]


def app(receiver: Receiver) -> WSGIApplication:
    """
    The WSGI application of a `FlowEndpoint`, of `Webhooks`, or of both combined.

    POST goes to the receiver, GET to its `verify` if it has one; other methods are answered with 405. At most
    `receiver.max_body` + 1 bytes of a body are read. A body without Content-Length is read where the server says that
    it ends its input (`wsgi.input_terminated`); elsewhere it is empty, as PEP 3333 has it.
    """
    check_receiver(receiver)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = _answer(receiver, environ)
        start_response(status_line(answer.status), sent_headers(answer))
        return [answer.body]

    return application


def _answer(receiver: Receiver, environ: Mapping[str, Any]) -> HttpAnswer:
    answer = answer_without_body(receiver, environ["REQUEST_METHOD"], environ.get("QUERY_STRING", ""))
    if answer is not None:
        return answer
    length = None if ends_itself(environ) else environ.get("CONTENT_LENGTH") or "0"
    body = read_body(environ["wsgi.input"], length, receiver.max_body + 1)
    return INCOMPLETE if body is None else receiver.receive(body, joined(environ_headers(environ)))
