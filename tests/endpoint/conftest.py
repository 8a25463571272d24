"""Keys that are made once."""

from __future__ import annotations

import pytest

from tests.endpoint.key_material import pair


@pytest.fixture(scope="session")
def other_public_pem() -> str:
    """The public key of somebody else."""
    return pair(1).public_pem
