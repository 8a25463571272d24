"""
Schemathesis makes requests from Meta's OpenAPI file, right ones and wrong ones, and sends them to the emulator.

Whatever is sent is answered as the file and the error pages say, and never with a mistake of the emulator. The requests
are the same in every run: a few of each kind, so that the whole takes seconds.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings

from tests.emulator.support import NUMBER, WABA, flow_json
from tests.openapi.contract import ContractViolationError, check_response
from whatsapp_flows.emulator import Emulator

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("schemathesis")]

_FILE: Final = Path(__file__).with_name("flows-openapi-v23.0.json")
_FLOWS: Final = [str(21_000_000_000_000_001 + step * 7_919_131) for step in range(3)]  # the first ids of an emulator
# What stands in the blanks of a path: nodes that are there, one that is not, a version that was never released.
_VALUES: Final = {
    "Version": ["v23.0", "v17.0", "v99.0"],
    "WABA-ID": [WABA, "7"],
    "Phone-Number-ID": [NUMBER, "7"],
    "Flow-ID": [*_FLOWS, "7"],
}
_STATUSES: Final = {200, 400, 401, 403, 404}
_SETTINGS: Final = settings(
    max_examples=3, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


_SPEC: Final = json.loads(_FILE.read_text("utf-8"))
_METHODS: Final = frozenset({"get", "post", "delete"})
_LABELS: Final = [
    f"{method.upper()} {path}" for path, item in _SPEC["paths"].items() for method in _METHODS & item.keys()
]


@pytest.fixture(scope="module")
def operations() -> dict[str, Any]:
    """
    Each operation of the file, with the blanks of its path filled by what the emulator has.

    Schemathesis is imported here: it takes a second, and collecting the tests should not.
    """
    import schemathesis

    spec = json.loads(json.dumps(_SPEC))
    for item in spec["paths"].values():
        for entry in (item, *(each for each in item.values() if isinstance(each, dict))):
            for parameter in entry.get("parameters", []):
                if parameter.get("in") == "path":
                    parameter["schema"] = {"type": "string", "enum": _VALUES[parameter["name"]]}
    results: list[Any] = list(schemathesis.openapi.from_dict(spec).get_all_operations())
    found = {result.ok().label: result.ok() for result in results}
    assert found.keys() == set(_LABELS)
    return found


@pytest.fixture(scope="module")
def meta() -> Iterator[Emulator]:
    """An emulator with three Flows, of which one was published."""
    with Emulator() as emulator:
        made = [emulator.add_flow(f"flow {at}", flow_json=flow_json()).id for at in range(3)]
        emulator.set_status(made[2], "PUBLISHED")
        assert made == _FLOWS
        yield emulator


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Connections that all requests share."""
    with requests.Session() as kept:
        kept.trust_env = False
        yield kept


@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
@pytest.mark.parametrize("label", sorted(_LABELS))
def test_what_schemathesis_sends_is_answered_as_meta_would(
    meta: Emulator,
    session: requests.Session,
    operations: dict[str, Any],
    label: str,
    mode: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With a status that Graph uses and a body that its file describes; nothing is logged as the emulator's mistake."""
    from schemathesis.generation import GenerationMode

    sent = 0

    @_SETTINGS
    @given(case=operations[label].as_strategy(generation_mode=getattr(GenerationMode, mode)))
    def send(case: Any) -> None:
        nonlocal sent
        sent += 1
        answer = session.request(**case.as_transport_kwargs(base_url=meta.url), timeout=30, allow_redirects=False)
        assert answer.status_code in _STATUSES, answer.text
        body = answer.json()
        path = urlsplit(answer.request.url or "").path
        if answer.status_code != 200:
            assert body["error"]["code"], body
        elif unquote(path) == path:
            _check(answer.request.method or "", path, body)

    with caplog.at_level(logging.ERROR, "whatsapp_flows.emulator"):
        send()
    assert sent
    assert caplog.records == []


def _check(method: str, path: str, body: Any) -> None:
    """Against the file, read strictly."""
    try:
        check_response(method, path, 200, body)
    except ContractViolationError as violation:
        pytest.fail(f"{method} {path}: {violation}\n{body}")
