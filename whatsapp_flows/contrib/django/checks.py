"""
The system checks.

    E001  WHATSAPP_FLOWS, or one of its values, is invalid
    E002  the flows of WHATSAPP_FLOWS["FLOWS"] cannot be loaded
    W001  a flow defined in Python has an invalid Flow JSON
    W002  a flow in the database has an invalid Flow JSON   (check --database ALIAS, and migrate)
    W003  the access token or the account is not set        (check --deploy)

Invalid flows are warnings: an error would stop `migrate` and `runserver`, for example on the day when Meta freezes a
version of Flow JSON. `check --fail-level WARNING` treats them as errors. A sync does not send them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's own name
from django.db import connections, router

from ...errors import ConfigurationError, ValidationIssue
from ...flow_json import validate
from .conf import SETTING, read_settings
from .definitions import read_definitions
from .models import WhatsAppFlow

TAG: Final = "whatsapp_flows"
_MAX_HINTS: Final = 3  # errors of one flow

Apps = Sequence[AppConfig] | None


def register_all() -> None:
    """Register the checks of this module."""
    register(check_settings, TAG)
    register(check_definitions, TAG)
    register(check_rows, Tags.database)
    register(check_credentials, TAG, deploy=True)


def check_settings(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E001. The client validates its own options; a missing token is reported by `check_credentials`."""
    try:
        settings = read_settings()
        environ = {"WHATSAPP_FLOWS_ACCESS_TOKEN": "not-set", **settings.environ}
        with type(settings)(environ=environ).client():
            return []
    except ConfigurationError as error:
        return [Error(error.message, id="whatsapp_flows.E001")]


def check_definitions(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E002 and W001."""
    try:
        settings = read_settings()
    except ConfigurationError:
        return []  # reported as E001
    try:
        definitions = read_definitions(settings)
    except ConfigurationError as error:
        return [Error(error.message, id="whatsapp_flows.E002")]
    flows = ((each["name"], each["flow_json"]) for each in definitions)
    return _invalid(flows, obj=f'{SETTING}["FLOWS"]', check_id="whatsapp_flows.W001")


def check_rows(app_configs: Apps, databases: Iterable[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """W002. A database without the table is skipped."""
    warnings: list[CheckMessage] = []
    for alias in databases or ():
        if not router.allow_migrate_model(alias, WhatsAppFlow):
            continue
        if WhatsAppFlow._meta.db_table in connections[alias].introspection.table_names():
            rows = WhatsAppFlow.objects.using(alias).filter(is_active=True).values_list("name", "flow_json")
            warnings += _invalid(rows.iterator(), obj=WhatsAppFlow, check_id="whatsapp_flows.W002")
    return warnings


def check_credentials(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """W003."""
    try:
        environ = read_settings().environ
    except ConfigurationError:
        return []  # reported as E001
    return [
        Warning(
            f"{TAG} has no {name}: no flow can be synced.",
            hint=f'Set {SETTING}["{name}"], or the environment variable {SETTING}_{name}.',
            id="whatsapp_flows.W003",
        )
        for name in ("ACCESS_TOKEN", "WABA_ID")
        if not environ.get(f"{SETTING}_{name}", "").strip()
    ]


def _invalid(flows: Iterable[tuple[str, Any]], *, obj: object, check_id: str) -> list[CheckMessage]:
    warnings: list[CheckMessage] = []
    for name, flow_json in flows:
        errors = errors_of(flow_json)
        if errors:
            count = f"{len(errors)} error{'' if len(errors) == 1 else 's'}"
            hint = "; ".join(issue_line(error) for error in errors[:_MAX_HINTS])
            message = f"The flow {name!r} has {count} in its Flow JSON."
            warnings.append(Warning(message, hint=hint, obj=obj, id=check_id))
    return warnings


def errors_of(flow_json: Any) -> tuple[ValidationIssue, ...]:
    """The errors of a Flow JSON that the validator finds."""
    if not isinstance(flow_json, dict):
        return (ValidationIssue(error="INVALID_FLOW_JSON", message="A Flow JSON is an object."),)
    return validate(flow_json, advice=False).errors


def issue_line(issue: ValidationIssue) -> str:
    """An issue in a line, with its path: a line number means nothing without the text."""
    path = issue.pointers[0].path if issue.pointers else ""
    return f"{path}: {issue.message} ({issue.error})" if path else f"{issue.message} ({issue.error})"


def first_lines(issues: Iterable[ValidationIssue], most: int = 10) -> list[str]:
    """A line for each of the first `most` issues, and one with the number of the others."""
    lines = [issue_line(issue) for issue in issues]
    more = len(lines) - most
    return [*lines[:most], *([f"and {more} more"] if more > 0 else [])]
