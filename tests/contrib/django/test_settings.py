"""The settings, the flows that a project defines in Python, the model, and the system checks."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import Tags, run_checks
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.views.debug import SafeExceptionReporterFilter

from tests.contrib.django.support import TOKEN, flow, rows
from tests.support import valid_flow
from whatsapp_flows import ConfigurationError
from whatsapp_flows.builder import Flow, Screen, from_json
from whatsapp_flows.contrib.django.conf import read_settings
from whatsapp_flows.contrib.django.definitions import read_definitions
from whatsapp_flows.contrib.django.models import WhatsAppFlow

INVALID = {"version": "7.3", "screens": []}
GIVEN: Any = None


def given() -> Any:
    """The definitions of the test, as a callable."""
    return GIVEN


def define(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    monkeypatch.setattr("tests.contrib.django.test_settings.GIVEN", value)


FROM_HERE = {"FLOWS": "tests.contrib.django.test_settings.given"}


def test_a_setting_wins_over_its_variable() -> None:
    """A variable takes precedence over the client's default."""
    environ = {"WHATSAPP_FLOWS_ACCESS_TOKEN": "from-the-environment", "WHATSAPP_FLOWS_WABA_ID": "1", "PATH": "/"}
    with override_settings(WHATSAPP_FLOWS={"WABA_ID": 2, "MAX_ATTEMPTS": 5, "RETRY_INITIAL": 0.5, "TIMEOUT": None}):
        settings = read_settings(environ)
    assert settings.environ == {
        "WHATSAPP_FLOWS_ACCESS_TOKEN": "from-the-environment",
        "WHATSAPP_FLOWS_WABA_ID": "2",
        "WHATSAPP_FLOWS_MAX_ATTEMPTS": "5",
        "WHATSAPP_FLOWS_RETRY_INITIAL": "0.5",
    }
    with settings.client() as client:
        assert client.waba_id == "2"
        assert client.options.max_attempts == 5
        assert getattr(client.options.retry_policy, "initial", None) == 0.5


def test_no_setting_at_all_is_the_environment() -> None:
    """As `FlowsClient.from_env`."""
    with read_settings({"WHATSAPP_FLOWS_ACCESS_TOKEN": "token"}).client() as client:
        assert client.waba_id is None


def test_the_token_may_come_from_a_callable() -> None:
    """It is asked before each request, so a token can be rotated while a worker runs."""
    with override_settings(WHATSAPP_FLOWS={"ACCESS_TOKEN": lambda: "rotated"}), read_settings({}).client() as client:
        token, _ = client._settings.credentials.parts
    assert callable(token)


def test_no_secret_is_shown() -> None:
    """Neither by the repr of the settings nor by Django's error page."""
    given = {"ACCESS_TOKEN": TOKEN, "APP_SECRET": TOKEN, "WABA_ID": "1"}
    with override_settings(WHATSAPP_FLOWS=given):
        assert TOKEN not in repr(read_settings({}))
    assert TOKEN not in str(SafeExceptionReporterFilter().cleanse_setting("WHATSAPP_FLOWS", given))


BAD_SETTINGS: list[tuple[Any, str]] = [
    (["WABA_ID"], "must be a dictionary, not list"),
    ({"MAX_ATEMPTS": 3}, "did you mean 'MAX_ATTEMPTS'?"),
    ({"ZZZ": 3}, "known are ACCESS_TOKEN"),
    ({"MAX_ATTEMPTS": "many"}, 'WHATSAPP_FLOWS["MAX_ATTEMPTS"] must be a number'),
    ({"MAX_ATTEMPTS": True}, '["MAX_ATTEMPTS"] must be a text or a number, not bool'),
    ({"RETRY_JITTER": "some"}, 'WHATSAPP_FLOWS["RETRY_JITTER"] must be one of'),
    ({"RETRY_MAXIMUM": 1}, 'WHATSAPP_FLOWS["RETRY_MAXIMUM"]: maximum=1'),
    ({"ACCESS_TOKEN": 17}, '["ACCESS_TOKEN"] must be a text or a number, not int'),
    ({"JOBS": 0}, '["JOBS"] must be a whole number of at least 1, not 0'),
    ({"JOBS": 1.5}, '["JOBS"] must be a whole number'),
    ({"SYNC_LEASE": float("nan")}, '["SYNC_LEASE"] must be a number of at least 1, not nan'),
    ({"FLOWS": "flows"}, '["FLOWS"] must be a dotted path'),
]


@pytest.mark.parametrize(("setting", "words"), BAD_SETTINGS)
def test_a_setting_that_cannot_be_used_is_e001(setting: Any, words: str) -> None:
    """Named by its key, and by nothing else."""
    with override_settings(WHATSAPP_FLOWS=setting):
        (found,) = run_checks(tags=["whatsapp_flows"])
    assert found.id == "whatsapp_flows.E001"
    assert words in found.msg


def test_a_project_without_a_token_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is deployed: then W003 warns."""
    for name in ("ACCESS_TOKEN", "WABA_ID"):
        monkeypatch.delenv(f"WHATSAPP_FLOWS_{name}", raising=False)
    assert run_checks(tags=["whatsapp_flows"]) == []
    found = run_checks(tags=["whatsapp_flows"], include_deployment_checks=True)
    assert [message.id for message in found] == ["whatsapp_flows.W003"] * 2
    with override_settings(WHATSAPP_FLOWS={"JOBS": 0}):
        found = run_checks(tags=["whatsapp_flows"], include_deployment_checks=True)
    assert [message.id for message in found] == ["whatsapp_flows.E001"]


BAD_FLOWS: list[tuple[Any, str]] = [
    ("x", "must be a list of dictionaries, not str"),
    ({}, "must be a list of dictionaries, not dict"),
    (["x"], "given[0] must be a dictionary, not str"),
    ([{"name": "a"}], "given[0] ('a') has no flow_json"),
    ([{"name": "a", "flow_json": {}, "titel": ""}], "has an unknown key 'titel': known are name, flow_json"),
    ([{"name": "a", "flow_json": []}], "flow_json: This field cannot be blank."),
    ([{"name": "a", "flow_json": ["x"]}], "flow_json: A Flow JSON is an object."),
    ([{"name": "a", "flow_json": {"x": 1}, "categories": ["OTHER", 1]}], "categories: A list of at least one text"),
    ([{"name": "a", "flow_json": {"x": 1}, "endpoint_uri": "http://x.example"}], "Enter a valid URL"),
    ([{"name": name, "friendly_name": "A", "flow_json": {"x": 1}} for name in "ab"], "the name occurs twice"),
]


@pytest.mark.parametrize(("value", "words"), BAD_FLOWS)
def test_definitions_that_make_no_row_are_e002(value: Any, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names their position."""
    define(monkeypatch, value)
    with override_settings(WHATSAPP_FLOWS=FROM_HERE):
        (found,) = run_checks(tags=["whatsapp_flows"])
    assert found.id == "whatsapp_flows.E002"
    assert words in found.msg


def test_a_path_that_leads_nowhere_is_e002() -> None:
    """Such as a misspelt module."""
    with override_settings(WHATSAPP_FLOWS={"FLOWS": "tests.contrib.django.nothing"}):
        (found,) = run_checks(tags=["whatsapp_flows"])
    assert found.id == "whatsapp_flows.E002"


def test_an_invalid_definition_is_w001(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the first errors, and the path of each."""
    define(monkeypatch, [{"name": "a", "flow_json": INVALID}, {"name": "b", "flow_json": valid_flow()}])
    with override_settings(WHATSAPP_FLOWS=FROM_HERE):
        (found,) = run_checks(tags=["whatsapp_flows"])
    assert (found.id, found.msg) == ("whatsapp_flows.W001", "The flow 'a' has 1 error in its Flow JSON.")
    assert "MIN_ITEMS_REQUIRED" in (found.hint or "")


def test_a_definition_takes_a_flow_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row holds the JSON; an error in it is one of the definition."""
    define(monkeypatch, [{"name": "a", "flow_json": from_json(valid_flow())}])
    with override_settings(WHATSAPP_FLOWS=FROM_HERE):
        (definition,) = read_definitions(read_settings({}))
        assert WhatsAppFlow(**definition).flow_json == valid_flow()
        define(monkeypatch, [{"name": "a", "flow_json": Flow(version="7.3", screens=[Screen("A", title="${data.x}")])}])
        with pytest.raises(ConfigurationError, match=r"\[0\] \('a'\): flow_json: screen A: "):
            read_definitions(read_settings({}))


def test_an_invalid_row_is_w002_when_the_database_is_checked() -> None:
    """A plain check reads no row; rows that are not active are left out."""
    flow()
    for name, active in (("bad", True), ("old", False)):
        WhatsAppFlow.objects.create(name=name, flow_json=INVALID, is_active=active)
    WhatsAppFlow.objects.create(name="list", flow_json=[])
    with CaptureQueriesContext(connection) as queries:
        assert run_checks() == []
    assert not [query for query in queries if "whatsapp_flows" in query["sql"]]  # Django asks for the features
    found = run_checks(tags=[Tags.database], databases=["default"])
    assert [message.id for message in found] == ["whatsapp_flows.W002"] * 2
    assert [message.msg.split("'")[1] for message in found] == ["bad", "list"]


def test_a_database_without_the_table_has_no_flows() -> None:
    """`migrate` checks the database before it creates the table."""
    call_command("migrate", "whatsapp_flows", "zero", verbosity=0)
    try:
        assert run_checks(tags=[Tags.database], databases=["default"]) == []
    finally:
        call_command("migrate", "whatsapp_flows", verbosity=0)


class Elsewhere:
    """A router that keeps the table out of every database."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if app_label == "whatsapp_flows" else None


def test_a_database_excluded_by_a_router_is_not_queried() -> None:
    """A router excludes it."""
    WhatsAppFlow.objects.create(name="bad", flow_json=INVALID)
    with override_settings(DATABASE_ROUTERS=[Elsewhere()]):
        assert run_checks(tags=[Tags.database], databases=["default"]) == []


def test_the_migrations_are_complete() -> None:
    """On each release of Django that the tests run on."""
    call_command("makemigrations", "whatsapp_flows", check=True, dry_run=True, verbosity=0)


def test_two_rows_cannot_be_one_flow_at_meta() -> None:
    """The name at Meta is unique by a database constraint, which the form reports."""
    flow("booking")
    second = WhatsAppFlow(name="other", friendly_name="booking", flow_json=valid_flow())
    with pytest.raises(ValidationError, match="Another flow has this name at Meta"):
        second.full_clean()
    with pytest.raises(IntegrityError):
        second.save()
    assert str(rows().get()) == "booking"


def test_the_settings_are_read_anew_each_time() -> None:
    """`override_settings` and a reload hold at once."""
    with override_settings(WHATSAPP_FLOWS={"SYNC_LEASE": 60, "CALLS_PER_HOUR": 5000}):
        assert (read_settings({}).sync_lease, read_settings({}).calls_per_hour) == (60, 5000)
    with pytest.raises(ConfigurationError, match="ACCESS_TOKEN"):
        read_settings({}).client()
