"""
The endpoint with the keys of the environment.

    whatsapp-flows endpoint serve examples.endpoint.service:endpoint
    uvicorn examples.endpoint.service:application
"""

from __future__ import annotations

import os

from examples.endpoint.booking import make_endpoint
from examples.endpoint.diary import Diary
from whatsapp_flows.contrib import asgi
from whatsapp_flows.endpoint import PrivateKeys

diary = Diary()
endpoint = make_endpoint(PrivateKeys.from_env(), os.environ["WHATSAPP_FLOWS_APP_SECRET"], diary)
application = asgi.app(endpoint)
