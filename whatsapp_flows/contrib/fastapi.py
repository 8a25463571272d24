"""
FastAPI: an endpoint or webhooks as a router. Extra `fastapi`.

    from whatsapp_flows.contrib.fastapi import router

    app.include_router(router(endpoint, "/flow"))
"""

from __future__ import annotations

from ._extra import missing

if absent := missing("fastapi", "fastapi"):
    raise ImportError(absent)

from fastapi import APIRouter
from starlette.routing import Route  # FastAPI is built on Starlette

from .._http_answer import Receiver
from .asgi import app

__all__ = ["router"]


def router(receiver: Receiver, path: str) -> APIRouter:
    """
    A router that serves a `FlowEndpoint`, `Webhooks`, or both combined at `path`.

    Requests are answered as by `contrib.asgi.app`. The route is not part of the OpenAPI document: what Meta sends is
    encrypted or signed, and nobody else is to call it.
    """
    return APIRouter(routes=[Route(path, app(receiver), name="whatsapp_flows", include_in_schema=False)])
