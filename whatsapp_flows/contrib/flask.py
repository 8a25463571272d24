"""
Flask: an endpoint or webhooks as a blueprint. Extra `flask`.

    from whatsapp_flows.contrib.flask import blueprint

    app.register_blueprint(blueprint(endpoint, "/flow"))
"""

from __future__ import annotations

from typing import Final

from ._extra import missing

if absent := missing("flask", "flask"):
    raise ImportError(absent)

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from .._http_answer import Receiver
from .wsgi import app

__all__ = ["blueprint"]

# RFC 9110, section 9, and RFC 5789. Those that the receiver does not serve get its own 405, without Flask's page.
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")


class _Answer(Response):
    default_mimetype = None  # an answer without a content type stays without


def blueprint(receiver: Receiver, path: str, *, name: str = "whatsapp_flows") -> Blueprint:
    """
    A blueprint that serves a `FlowEndpoint`, `Webhooks`, or both combined at `path`.

    Requests are answered as by `contrib.wsgi.app`: the raw body, which no setting of Flask's limits or parses. Several
    blueprints of one application need different names.
    """
    made, application = Blueprint(name, __name__), app(receiver)

    def receive() -> ResponseReturnValue:
        return _Answer.from_app(application, request.environ)

    made.add_url_rule(path, "receive", receive, methods=_METHODS, provide_automatic_options=False)
    return made
