"""The booking example from nothing to the answer of a user, against the emulator, over sockets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.endpoint.__main__ import serving
from examples.endpoint.booking import FLOW, make_endpoint
from examples.endpoint.diary import Booking, Diary, Slot
from whatsapp_flows import FlowsClient
from whatsapp_flows.contrib import wsgi
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.endpoint import EndpointClient, KeyPair, PrivateKeys
from whatsapp_flows.webhooks import FlowCompleted, FlowStatusChanged, WebhookEvent, Webhooks, combined

ROOT = Path(__file__).parents[1]
SECRET = "the-secret-of-an-emulated-app"


def test_a_booking_from_an_empty_account_to_the_answer(flow_key_pair: KeyPair) -> None:
    """Create, register the key, publish with the health check, send, play the screens, receive the answer."""
    diary = Diary()
    events: list[WebhookEvent] = []
    endpoint = make_endpoint(PrivateKeys(flow_key_pair.private_pem), SECRET, diary)
    hooks = Webhooks(app_secrets=SECRET, verify_token="chosen", handler=events.append)
    with Emulator(app_secret=SECRET) as meta, serving(wsgi.app(combined(endpoint, hooks))) as url:
        meta.webhooks_to(url, verify_token="chosen")
        number = meta.phone_number_id
        with FlowsClient("token", meta.waba_id, base_url=meta.url, app_secret=SECRET, phone_number_id=number) as client:
            client.subscribe_app()
            client.set_public_key(number, flow_key_pair.public_pem)
            flow = client.create_flow("Booking", ["APPOINTMENT_BOOKING"], flow_json=FLOW, endpoint_uri=url)
            assert flow.validation_errors == ()
            client.publish_flow(flow.id)
            assert [(check.uri, check.ok) for check in meta.endpoint_checks] == [(url, True)]
            assert client.get_flow(flow.id).status == "PUBLISHED"

            sent = client.send_flow("491701234567", flow.id, cta="Book", body="When?", action="data_exchange")
            public_key = client.get_public_key(number).pem

        with EndpointClient(url, public_key, SECRET) as phone:
            opened = phone.exchange("INIT", token=sent.token)
            assert opened.screen == "CHOOSE"
            choice = {"service": "repair", "date": opened.data["dates"][0]["id"]}
            times = phone.exchange("data_exchange", "CHOOSE", choice, sent.token)
            assert times.screen == "TIME"
            slot = {**choice, "time": times.data["times"][0]["id"]}
            assert phone.exchange("data_exchange", "TIME", slot, sent.token).screen == "DETAILS"
            done = phone.exchange("data_exchange", "DETAILS", {"name": "Zoë", "note": ""}, sent.token)
            assert done.params == {"flow_token": sent.token, "booking_id": "B0001", **slot}

        meta.complete_flow(sent.id, done.params)
        assert meta.wait_for_webhooks()
        assert all(delivery.ok for delivery in meta.webhooks)

    assert diary.bookings() == [Booking("B0001", Slot("repair", slot["date"], slot["time"]), "Zoë", "")]
    (published,) = [
        event for event in events if isinstance(event, FlowStatusChanged) and event.new_status == "PUBLISHED"
    ]
    assert published.flow_id == flow.id
    (completed,) = [event for event in events if isinstance(event, FlowCompleted)]
    assert completed.answers == done.params
    assert (completed.token, completed.context_id) == (sent.token, sent.id)


@pytest.mark.slow
def test_the_example_runs_with_one_command() -> None:
    """`python -m examples.endpoint` prints each step, and ends."""
    command = [sys.executable, "-m", "examples.endpoint"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"CHOOSE|TIME|DETAILS|  completed|webhook: completed|1 booking", done.stdout) == [
        "CHOOSE", "TIME", "DETAILS", "  completed", "webhook: completed", "1 booking"
    ]  # fmt: skip


@pytest.mark.slow
def test_the_service_takes_its_keys_from_the_environment(flow_key_pair: KeyPair) -> None:
    """The module that `endpoint serve` and uvicorn import."""
    environment = os.environ | {
        "WHATSAPP_FLOWS_PRIVATE_KEY": flow_key_pair.private_pem.reveal(),
        "WHATSAPP_FLOWS_APP_SECRET": SECRET,
    }
    command = [sys.executable, "-c", "from examples.endpoint.service import application, endpoint; print(endpoint)"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("FlowEndpoint(")
