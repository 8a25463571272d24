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
from whatsapp_flows.endpoint import PrivateKeys, generate_key_pair
from whatsapp_flows.play import FlowPlayer
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
            phone = FlowPlayer(
                FLOW, endpoint=url, public_key=pair.public_pem, app_secret=APP_SECRET, flow_token=sent.token
            )  # fmt: skip
            answers = fill_in(phone)
            meta.complete_flow(sent.id, answers)
            meta.wait_for_webhooks()
    print(f"in the diary: {len(diary.bookings())} booking")


def fill_in(phone: FlowPlayer) -> dict[str, object]:
    """What a person does: the first day, its first time, a name. Returns what the phone sends at the end."""
    with phone:
        print(f"  {phone.screen}: {len(phone.offered('date'))} days")
        phone.choose("service", "Check-up").choose("date", next(iter(phone.offered("date")))).tap("Show times")
        print(f"  {phone.screen}: {len(phone.offered('time'))} times on {phone.view.nodes[0].props['text']}")
        phone.choose("time", next(iter(phone.offered("time")))).tap("Continue")
        print(f"  {phone.screen}: {phone.view.nodes[0].props['text']}")
        phone.fill(name="Zoë").tap("Book")
        answers = phone.completed or {}
        print(f"  completed: {', '.join(answers)}")
        return answers


def show(event: WebhookEvent) -> None:
    """What the webhooks tell."""
    if isinstance(event, FlowCompleted):
        print(f"webhook: completed, booking {event.answers.get('booking_id')}")
    else:
        print(f"webhook: {type(event).__name__}")


if __name__ == "__main__":
    main()
