"""Each adapter as an ASGI or a WSGI application with an `Echo` at /flow and a `VerifyingEcho` at /hook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test.utils import override_settings
from django.urls import path
from fastapi import FastAPI
from flask import Flask

from tests.contrib.adapters.wires import ASGIApp, WSGIApp
from whatsapp_flows._http_answer import Receiver
from whatsapp_flows.contrib import asgi, fastapi, flask, wsgi
from whatsapp_flows.contrib.django import async_flow_view, flow_view

Receivers = Mapping[str, Receiver]  # path -> receiver

MIDDLEWARE: Final = ("django.middleware.csrf.CsrfViewMiddleware", "django.middleware.common.CommonMiddleware")


def asgi_app(receivers: Receivers) -> ASGIApp:
    """`contrib.asgi`, an application for each path."""
    apps = {route: asgi.app(receiver) for route, receiver in receivers.items()}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await apps[scope.get("path", "/flow")](scope, receive, send)

    return application


def fastapi_app(receivers: Receivers) -> ASGIApp:
    """`contrib.fastapi`, a router for each path, below a prefix."""
    app = FastAPI()
    for route, receiver in receivers.items():
        app.include_router(fastapi.router(receiver, route))
    return app


def wsgi_app(receivers: Receivers) -> WSGIApp:
    """`contrib.wsgi`, an application for each path."""
    apps = {route: wsgi.app(receiver) for route, receiver in receivers.items()}
    return lambda environ, start_response: apps[environ["PATH_INFO"]](environ, start_response)


def flask_app(receivers: Receivers) -> WSGIApp:
    """`contrib.flask`, a blueprint for each path; Flask's own limit of a body is lower than the receiver's."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 10
    for route, receiver in receivers.items():
        app.register_blueprint(flask.blueprint(receiver, route, name=route[1:]))
    return app


class _WsgiHandler(WSGIHandler):
    urls: ModuleType

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        request.urlconf = self.urls  # type: ignore[assignment]
        return super().get_response(request)


class _AsgiHandler(ASGIHandler):
    urls: ModuleType

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        request.urlconf = self.urls  # type: ignore[assignment]
        return await super().get_response_async(request)


def django_app(
    receivers: Receivers, *, handler: type[_WsgiHandler | _AsgiHandler], view: Callable[[Receiver], Any]
) -> Any:
    """`contrib.django`, a view for each path, behind the CSRF check; Django's limit is lower than the receiver's."""
    urls = ModuleType("urls")
    urls.urlpatterns = [path(route[1:], view(receiver)) for route, receiver in receivers.items()]  # type: ignore[attr-defined]
    with override_settings(MIDDLEWARE=MIDDLEWARE, DATA_UPLOAD_MAX_MEMORY_SIZE=10):
        made = handler()
    made.urls = urls
    return made


def django_wsgi(receivers: Receivers) -> WSGIApp:
    """The plain view under WSGI."""
    app: WSGIApp = django_app(receivers, handler=_WsgiHandler, view=flow_view)
    return app


def django_asgi(receivers: Receivers) -> ASGIApp:
    """The async view under ASGI."""
    app: ASGIApp = django_app(receivers, handler=_AsgiHandler, view=async_flow_view)
    return app


def django_async_view_under_wsgi(receivers: Receivers) -> WSGIApp:
    """Django runs an event loop for each request."""
    app: WSGIApp = django_app(receivers, handler=_WsgiHandler, view=async_flow_view)
    return app


def django_plain_view_under_asgi(receivers: Receivers) -> ASGIApp:
    """Django runs the view on a thread."""
    app: ASGIApp = django_app(receivers, handler=_AsgiHandler, view=flow_view)
    return app


ASGI: Final[Mapping[str, Callable[[Receivers], ASGIApp]]] = {
    "asgi": asgi_app,
    "fastapi": fastapi_app,
    "django async": django_asgi,
    "django plain under asgi": django_plain_view_under_asgi,
}
WSGI: Final[Mapping[str, Callable[[Receivers], WSGIApp]]] = {
    "wsgi": wsgi_app,
    "flask": flask_app,
    "django": django_wsgi,
    "django async under wsgi": django_async_view_under_wsgi,
}
