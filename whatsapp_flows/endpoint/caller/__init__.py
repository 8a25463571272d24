"""
The caller's side of an endpoint, as Meta's client plays it: for tests of an endpoint, and for checks of a live one.

    client = EndpointClient(endpoint, public_pem, app_secret)
    assert client.ping().ok
    assert client.exchange("INIT", token="token-1").screen == "CHOOSE"

The conversation of a request does no I/O (`_exchange`); `_client` carries it out, blocking or awaited; `_targets`,
`_applications` and `_url` are what a request can be sent to; `_reading` is how the client takes an answer; `_health`
checks a live endpoint.
"""

from typing import TYPE_CHECKING

from ..._lazy import lazy_names
from ._client import EndpointClient
from ._reply import CallOutcome, EndpointReply
from ._tamper import FAULTS, Tamper

if TYPE_CHECKING:
    from ._health import check_url

__all__ = ["FAULTS", "CallOutcome", "EndpointClient", "EndpointReply", "Tamper", "check_url"]

if not TYPE_CHECKING:
    __getattr__ = lazy_names(__name__, {"._health": ("check_url",)})  # it loads requests
