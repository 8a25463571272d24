"""Keys that are made once."""

from __future__ import annotations

import pytest

from whatsapp_flows.endpoint import generate_key_pair


@pytest.fixture(scope="session")
def other_public_pem() -> str:
    """The public key of somebody else."""
    return generate_key_pair().public_pem
