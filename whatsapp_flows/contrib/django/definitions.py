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
from django.db import router, transaction
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
    The rows of these definitions, as they say: new ones are made, the others changed. What the sync has written and
    `is_active` stay as they are. Without `save` nothing is written.
    """
    wanted = tuple(definitions)
    using = router.db_for_write(WhatsAppFlow)
    rows = WhatsAppFlow.objects.using(using)
    if save:
        with transaction.atomic(using=using):
            return tuple(
                rows.update_or_create(name=each["name"], defaults={k: each[k] for k in each if k != "name"})[0]
                for each in wanted
            )
    there = {row.name: row for row in rows.filter(name__in=[each["name"] for each in wanted])}
    found = []
    for each in wanted:
        row = there.get(each["name"]) or WhatsAppFlow()
        for field, value in each.items():
            setattr(row, field, value)
        found.append(row)
    return tuple(found)
