"""The WSGI applications for a process of gunicorn: `wsgi` at /wsgi, and so on."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any
from wsgiref.util import shift_path_info

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.contrib.django.settings")
django.setup()

from tests.contrib.adapters import applications  # noqa: E402 - not before the setup
from tests.contrib.adapters.ways import make_receivers  # noqa: E402
from whatsapp_flows.endpoint import PrivateKeys  # noqa: E402

KEYS = PrivateKeys(os.environ["TEST_PRIVATE_KEY"])
APPLICATIONS = {name: make(make_receivers(KEYS)) for name, make in applications.WSGI.items() if " " not in name}


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The application that is named by the first segment of the path."""
    return APPLICATIONS[str(shift_path_info(environ))](environ, start_response)
