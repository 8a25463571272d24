"""Everything on one machine: `python -m examples.endpoint`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

from examples.endpoint.booking import FLOW, make_endpoint
from examples.endpoint.diary import Diary
from whatsapp_flows import FlowsClient
from whatsapp_flows.contrib import wsgi
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.endpoint import EndpointClient, PrivateKeys, generate_key_pair
from whatsapp_flows.webhooks import FlowCompleted, WebhookEvent, Webhooks, combined

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

APP_SECRET = "the-secret-of-an-emulated-app"
VERIFY_TOKEN = "a-text-of-your-choice"


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing: the endpoint has its own log."""


@contextmanager
def serving(application: WSGIApplication) -> Iterator[str]:
    """A WSGI server on a free port of this machine; gives its URL."""
    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/flow"
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    """Create, publish, send, fill in, receive."""
    diary, pair = Diary(), generate_key_pair()
    endpoint = make_endpoint(PrivateKeys(pair.private_pem), APP_SECRET, diary)
    hooks = Webhooks(app_secrets=APP_SECRET, verify_token=VERIFY_TOKEN, handler=show)
    with Emulator(app_secret=APP_SECRET) as meta, serving(wsgi.app(combined(endpoint, hooks))) as url:
        meta.webhooks_to(url, verify_token=VERIFY_TOKEN)
        with FlowsClient("emulated", meta.waba_id, base_url=meta.url, app_secret=APP_SECRET) as client:
            client.subscribe_app()
            client.set_public_key(meta.phone_number_id, pair.public_pem)
            flow = client.create_flow("Booking", ["APPOINTMENT_BOOKING"], flow_json=FLOW, endpoint_uri=url)
            client.publish_flow(flow.id)
            print(f"published, after the health check: {meta.endpoint_checks[-1].outcome}")
            sent = client.send_flow(
                "491701234567", flow.id, cta="Book", body="When do you come?", action="data_exchange",
                phone_number_id=meta.phone_number_id,
            )  # fmt: skip
            print("sent, and opened on a phone:")
            params = fill_in(EndpointClient(url, pair.public_pem, APP_SECRET), sent.token)
            meta.complete_flow(sent.id, params)
            meta.wait_for_webhooks()
    print(f"in the diary: {len(diary.bookings())} booking")


def fill_in(phone: EndpointClient, token: str) -> dict[str, object]:
    """What a person does: the first day, its first time, a name. Returns what the phone sends at the end."""
    with phone:
        reply = phone.exchange("INIT", token=token)
        print(f"  {reply.screen}: {len(reply.data['dates'])} days")
        choice = {"service": "check", "date": reply.data["dates"][0]["id"]}
        reply = phone.exchange("data_exchange", "CHOOSE", choice, token)
        print(f"  {reply.screen}: {len(reply.data['times'])} times on {reply.data['day']}")
        slot = {**choice, "time": reply.data["times"][0]["id"]}
        reply = phone.exchange("data_exchange", "TIME", slot, token)
        print(f"  {reply.screen}: {reply.data['summary']}")
        reply = phone.exchange("data_exchange", "DETAILS", {"name": "Zoë", "note": ""}, token)
        print(f"  {reply.screen}")
        return reply.params or {}


def show(event: WebhookEvent) -> None:
    """What the webhooks tell."""
    if isinstance(event, FlowCompleted):
        print(f"webhook: completed, booking {event.answers.get('booking_id')}")
    else:
        print(f"webhook: {type(event).__name__}")


if __name__ == "__main__":
    main()
