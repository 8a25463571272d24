"""
Flows that a project defines in Python, loaded into rows.

    FLOWS = [{"name": "solar_installation", "friendly_name": "Solar Installation Request", "flow_json": {...}}]

`WHATSAPP_FLOWS["FLOWS"]` is the dotted path of such a list, or of a callable that returns one. The keys are fields of
`WhatsAppFlow`. `name` and `flow_json`, a dict or a `builder.Flow`, are required; the row keeps its values of the keys
that are missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, router
from django.utils.module_loading import import_string

from ...errors import ConfigurationError
from .conf import SETTING, AppSettings
from .models import WhatsAppFlow

_REQUIRED: Final = ("name", "flow_json")
_OPTIONAL: Final = ("friendly_name", "description", "categories", "endpoint_uri")

Definition = Mapping[str, Any]


def read_definitions(settings: AppSettings) -> tuple[Definition, ...]:
    """
    The definitions that the settings refer to; none if they refer to none.

    Raises `ConfigurationError` for a path that cannot be imported, and for an invalid definition.
    """
    if not settings.flows:
        return ()
    place = f'{SETTING}["FLOWS"]'
    try:
        value = import_string(settings.flows)
    except ImportError as error:
        raise ConfigurationError(f"{place} cannot be imported: {error}.") from None
    value = value() if callable(value) else value
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise ConfigurationError(f"{place} must be a list of dictionaries, not {type(value).__name__}.")
    return validated(value, place=settings.flows)


def validated(items: Iterable[Any], *, place: str) -> tuple[Definition, ...]:
    """The definitions, validated. Raises `ConfigurationError`, which names the invalid one."""
    definitions: list[Definition] = []
    names: set[str] = set()
    for number, definition in enumerate(items):
        if not isinstance(definition, Mapping):
            raise ConfigurationError(f"{place}[{number}] must be a dictionary, not {type(definition).__name__}.")
        label = f"{place}[{number}] ({definition.get('name')!r})"
        missing = [key for key in _REQUIRED if key not in definition]
        unknown = [key for key in definition if key not in {*_REQUIRED, *_OPTIONAL}]
        if missing:
            raise ConfigurationError(f"{label} has no {missing[0]}.")
        if unknown:
            known = ", ".join((*_REQUIRED, *_OPTIONAL))
            raise ConfigurationError(f"{label} has an unknown key {unknown[0]!r}: known are {known}.")
        given = {**definition, "flow_json": _document(definition["flow_json"], label)}
        flow = WhatsAppFlow(**given)
        try:
            flow.clean_fields()
            flow.clean()
        except ValidationError as error:
            message = "; ".join(f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items())
            raise ConfigurationError(f"{label}: {message}") from None
        if {flow.name, flow.name_at_meta} & names:
            raise ConfigurationError(f"{label}: the name occurs twice.")
        names |= {flow.name, flow.name_at_meta}
        definitions.append(given)
    return tuple(definitions)


def _document(flow_json: object, label: str) -> object:
    """The Flow JSON as a dict, if it is another mapping, such as a `builder.Flow`: the column takes nothing else."""
    if isinstance(flow_json, dict) or not isinstance(flow_json, Mapping):
        return flow_json
    try:
        return dict(flow_json)
    except ConfigurationError as error:
        raise ConfigurationError(f"{label}: flow_json: {error.message}") from None


def load_definitions(definitions: Iterable[Definition], *, save: bool = True) -> tuple[WhatsAppFlow, ...]:
    """
    The rows of these definitions: missing rows are created, rows that differ are updated. The fields of the sync and
    `is_active` are not changed. Without `save` nothing is written.

    Each row is written by one statement, so two processes may do this concurrently. Raises `ConfigurationError` for a
    name at Meta that another row has.
    """
    by_name = {each["name"]: each for each in definitions}
    rows = WhatsAppFlow.objects.using(router.db_for_write(WhatsAppFlow))
    existing = {row.name: row for row in rows.filter(name__in=by_name)}
    if not save:
        return tuple(_as_defined(existing.get(name) or WhatsAppFlow(), each) for name, each in by_name.items())
    for name, each in by_name.items():
        row = existing.get(name)
        try:
            if row is None:
                rows.bulk_create([WhatsAppFlow(**each)], ignore_conflicts=True)
            if row is None or any(getattr(row, field) != value for field, value in each.items()):
                rows.filter(name=name).update(**each)
        except IntegrityError:
            raise _duplicate_name(each) from None
    loaded = {row.name: row for row in rows.filter(name__in=by_name)}
    for name, each in by_name.items():
        if name not in loaded:
            raise _duplicate_name(each)
    return tuple(loaded[name] for name in by_name)


def _as_defined(row: WhatsAppFlow, definition: Definition) -> WhatsAppFlow:
    for field, value in definition.items():
        setattr(row, field, value)
    return row


def _duplicate_name(definition: Definition) -> ConfigurationError:
    name = definition.get("friendly_name") or definition["name"]
    return ConfigurationError(f"the flow {definition['name']!r}: another row has the name at Meta, {name!r}.")
