"""pywa's endpoint for Flows in one of its frameworks (the argument), until the end of stdin; prints its port."""

import os
import socket
import sys
import threading

from pywa import WhatsApp
from pywa.types.flows import FlowRequest, FlowResponse, FlowTokenNoLongerValid

framework = sys.argv[1]
listener = socket.create_server(("127.0.0.1", 0))


def application():
    if framework == "flask":
        from flask import Flask

        return Flask(__name__)
    if framework == "fastapi":
        from fastapi import FastAPI

        return FastAPI()
    from starlette.applications import Starlette

    return Starlette()


app = application()
wa = WhatsApp(
    phone_id="1",
    token="EAAinterop",
    server=app,
    verify_token="interop",
    app_secret=os.environ["APP_SECRET"],
    webhook_endpoint="/webhook",
    business_private_key=os.environ["PRIVATE_KEY"],
    business_private_key_password=os.environ["PASSPHRASE"],
)


@wa.on_flow_request("/flow")
def flow(_: WhatsApp, request: FlowRequest):
    """What the cases of endpoints.py ask for."""
    if request.flow_token == "refused":
        raise FlowTokenNoLongerValid("Order again.")
    if request.screen == "NOTHING":
        return None
    if request.screen == "FAILS":
        raise LookupError("on purpose")
    seen = dict(request.data or {})
    return FlowResponse(version=request.version, screen="NEXT", data={"seen": seen, "action": str(request.action)})


threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
print(listener.getsockname()[1], flush=True)
if framework == "flask":
    from werkzeug.serving import make_server

    make_server("127.0.0.1", 0, app, fd=listener.fileno()).serve_forever()
else:
    import uvicorn

    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
