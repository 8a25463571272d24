"""A module whose package is not installed names its extra."""

from __future__ import annotations

import subprocess
import sys

import pytest

HIDDEN = """
import sys
for name in sys.argv[2].split(","):
    sys.modules[name] = None
__import__(sys.argv[1])
"""


@pytest.mark.parametrize(
    ("module", "hidden", "needs", "extra"),
    [
        ("whatsapp_flows.contrib.celery", "celery", "celery", "celery"),
        ("whatsapp_flows.contrib.celery", "redis,limits", "redis and limits", "celery"),
        ("whatsapp_flows.contrib.prometheus", "prometheus_client", "prometheus_client", "prometheus"),
        ("whatsapp_flows.contrib.opentelemetry", "opentelemetry", "opentelemetry.trace", "opentelemetry"),
        ("whatsapp_flows.contrib.django", "django", "django", "django"),
        ("whatsapp_flows.contrib.django.models", "django", "django", "django"),
        ("whatsapp_flows.contrib.django.views", "django", "django", "django"),
        ("whatsapp_flows.contrib.fastapi", "fastapi", "fastapi", "fastapi"),
        ("whatsapp_flows.contrib.flask", "flask", "flask", "flask"),
        ("whatsapp_flows.emulator", "werkzeug", "werkzeug", "emulator"),
        ("whatsapp_flows.preview._preview", "werkzeug", "werkzeug", "emulator"),
    ],
)
def test_a_missing_extra_is_named(module: str, hidden: str, needs: str, extra: str) -> None:
    """In a fresh interpreter, by an `ImportError` that can be copied into a shell."""
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN, module, hidden], capture_output=True, text=True, timeout=60, check=False
    )
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert f" needs {needs}" in last
    assert last.endswith(f'pip install "whatsapp-flows-sdk[{extra}]"')


@pytest.mark.parametrize("module", ["asgi", "wsgi", "aws_lambda"])
def test_adapters_without_an_extra_need_none(module: str) -> None:
    """They load neither a framework nor the cryptography of an endpoint: webhooks need nothing beyond the package."""
    hidden = "cryptography,django,fastapi,flask,starlette,werkzeug,click,aiohttp"
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN, f"whatsapp_flows.contrib.{module}", hidden],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
