"""
The flows that a project defines in Python, as rows.

    FLOWS = [{"name": "solar_installation", "friendly_name": "Solar Installation Request", "flow_json": {...}}]

`WHATSAPP_FLOWS["FLOWS"]` is the dotted path of such a list, or of a callable that returns one. The keys are fields of
`WhatsAppFlow`; `name` and `flow_json` are needed, what else is left out stays as it is.
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

_NEEDED: Final = ("name", "flow_json")
_OTHERS: Final = ("friendly_name", "description", "categories", "endpoint_uri")

Definition = Mapping[str, Any]


def read_definitions(settings: AppSettings) -> tuple[Definition, ...]:
    """
    The definitions that the settings name; none if they name none.

    Raises `ConfigurationError` for a path that leads nowhere, and a definition that makes no row.
    """
    if not settings.flows:
        return ()
    place = f'{SETTING}["FLOWS"]'
    try:
        found = import_string(settings.flows)
    except ImportError as wrong:
        raise ConfigurationError(f"{place} cannot be imported: {wrong}.") from None
    found = found() if callable(found) else found
    if isinstance(found, (str, bytes, Mapping)) or not isinstance(found, Iterable):
        raise ConfigurationError(f"{place} must be a list of dictionaries, not {type(found).__name__}.")
    return checked(found, place=settings.flows)


def checked(found: Iterable[Any], *, place: str) -> tuple[Definition, ...]:
    """The definitions, each of which makes a row. Raises `ConfigurationError` that names the one at fault."""
    definitions: list[Definition] = []
    names: set[str] = set()
    for number, definition in enumerate(found):
        if not isinstance(definition, Mapping):
            raise ConfigurationError(f"{place}[{number}] must be a dictionary, not {type(definition).__name__}.")
        here = f"{place}[{number}] ({definition.get('name')!r})"
        missing = [key for key in _NEEDED if key not in definition]
        unknown = [key for key in definition if key not in {*_NEEDED, *_OTHERS}]
        if missing:
            raise ConfigurationError(f"{here} has no {missing[0]}.")
        if unknown:
            known = ", ".join((*_NEEDED, *_OTHERS))
            raise ConfigurationError(f"{here} has an unknown key {unknown[0]!r}: known are {known}.")
        flow = WhatsAppFlow(**definition)
        try:
            flow.clean_fields()
            flow.clean()
        except ValidationError as wrong:
            said = "; ".join(f"{field}: {' '.join(texts)}" for field, texts in wrong.message_dict.items())
            raise ConfigurationError(f"{here}: {said}") from None
        if {flow.name, flow.name_at_meta} & names:
            raise ConfigurationError(f"{here}: the name stands there twice.")
        names |= {flow.name, flow.name_at_meta}
        definitions.append(definition)
    return tuple(definitions)


def load_definitions(definitions: Iterable[Definition], *, save: bool = True) -> tuple[WhatsAppFlow, ...]:
    """
    The rows of these definitions, as they say: new ones are made, those that differ are changed. What the sync has
    written and `is_active` stay as they are. Without `save` nothing is written.

    Each row is written by one statement, so two processes may do this at once. Raises `ConfigurationError` for a name
    at Meta that another row has.
    """
    wanted = {each["name"]: each for each in definitions}
    rows = WhatsAppFlow.objects.using(router.db_for_write(WhatsAppFlow))
    there = {row.name: row for row in rows.filter(name__in=wanted)}
    if not save:
        return tuple(_as_defined(there.get(name) or WhatsAppFlow(), each) for name, each in wanted.items())
    for name, each in wanted.items():
        row = there.get(name)
        try:
            if row is None:
                rows.bulk_create([WhatsAppFlow(**each)], ignore_conflicts=True)
            if row is None or any(getattr(row, field) != value for field, value in each.items()):
                rows.filter(name=name).update(**each)
        except IntegrityError:
            raise _taken(each) from None
    made = {row.name: row for row in rows.filter(name__in=wanted)}
    for name, each in wanted.items():
        if name not in made:
            raise _taken(each)
    return tuple(made[name] for name in wanted)


def _as_defined(row: WhatsAppFlow, definition: Definition) -> WhatsAppFlow:
    for field, value in definition.items():
        setattr(row, field, value)
    return row


def _taken(definition: Definition) -> ConfigurationError:
    name = definition.get("friendly_name") or definition["name"]
    return ConfigurationError(f"the flow {definition['name']!r}: another row has the name at Meta, {name!r}.")
