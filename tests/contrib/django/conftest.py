"""Fixtures: Django set up once with a database file, an emulator for each test, and empty tables after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import django
import pytest

from whatsapp_flows import FlowsClient
from whatsapp_flows.emulator import Emulator

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.contrib.django.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - not before the setup
from django.db import connection  # noqa: E402
from django.test.utils import override_settings, setup_test_environment, teardown_test_environment  # noqa: E402

from tests.contrib.django.support import TOKEN  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A file, so that other processes and threads see committed changes, as on a server."""
    setup_test_environment()
    connection.close()
    connection.settings_dict["NAME"] = str(tmp_path_factory.mktemp("django") / "tests.sqlite3")
    call_command("migrate", verbosity=0)
    yield
    connection.close()
    teardown_test_environment()


@pytest.fixture(autouse=True)
def _empty_tables() -> Iterator[None]:
    yield
    call_command("flush", interactive=False, verbosity=0)
    connection.close()


@pytest.fixture
def meta() -> Iterator[Emulator]:
    """An emulator that knows one token."""
    with Emulator(tokens={TOKEN}) as emulator:
        yield emulator


@pytest.fixture
def configured(meta: Emulator) -> Iterator[dict[str, Any]]:
    """Settings for the emulator, without waits between retries."""
    given: dict[str, Any] = {
        "ACCESS_TOKEN": TOKEN,
        "WABA_ID": meta.waba_id,
        "BASE_URL": meta.url,
        "RETRY_INITIAL": 0,
    }
    with override_settings(WHATSAPP_FLOWS=given):
        yield given


@pytest.fixture
def client(meta: Emulator) -> Iterator[FlowsClient]:
    """A client of the host's, without waits."""
    with FlowsClient(TOKEN, meta.waba_id, base_url=meta.url, sleep=lambda seconds: None) as made:
        yield made
