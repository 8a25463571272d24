"""
An HTTP/1.1 server for applications of this package that run on a developer's machine. Extra `emulator`: werkzeug.

    def application(request: HttpRequest) -> HttpResponse:
        return HttpResponse(body=b"hello", headers={"Content-Type": "text/plain"})

    server = Server(application, host="127.0.0.1", port=0, name="preview")
    server.start()
    ...
    server.close()

The server writes no access log: the application sees each request, and words its own.
"""

from ._connections import Connections
from ._http import ErrorResponse, Handler, HttpRequest, HttpResponse, plain_error
from ._listener import Server
from ._origins import cross_site_refusal, is_loopback

__all__ = [
    "Connections",
    "ErrorResponse",
    "Handler",
    "HttpRequest",
    "HttpResponse",
    "Server",
    "cross_site_refusal",
    "is_loopback",
    "plain_error",
]
