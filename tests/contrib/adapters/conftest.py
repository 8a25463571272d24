"""Fixtures: Django set up once, and each way to reach a receiver, made when a test first asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.contrib.django.settings")
django.setup()

from tests.contrib.adapters.ways import Ways  # noqa: E402 - not before the setup
from whatsapp_flows.endpoint import KeyPair  # noqa: E402


@pytest.fixture(scope="session")
def ways(flow_key_pair: KeyPair) -> Iterator[Ways]:
    """A way by its name; servers end with the session."""
    with ExitStack() as stack:
        yield Ways(stack, flow_key_pair.private_pem.reveal())
