"""
The kinds of values that a property may take: for each kind that the tables name, the factory of its check.

A new kind is a row here and a factory in `_values.py`, `_composites.py` or `_parts.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ._checks import CheckFactory
from ._composites import (
    enum_list,
    enum_list_or_binding,
    messages_by_name,
    string_list,
    string_list_or_binding,
    text_or_messages,
    text_or_text_list,
    value_or_range,
)
from ._draft07 import is_number
from ._parts import (
    click_action,
    component_list,
    data_api_version,
    data_fields,
    layout,
    nested_object,
    object_list_or_binding,
    routing_model,
    select_action,
    switch_cases,
)
from ._values import (
    any_value,
    base64_or_binding,
    binding_only,
    catalogue_source,
    catalogue_source_or_binding,
    condition,
    enum,
    enum_or_binding,
    fixed_name,
    is_bool,
    is_int,
    is_object,
    screen_id,
    static,
    static_or_binding,
    string_of_kind,
    text_check,
    url_or_binding,
)

KINDS: Final[Mapping[str, CheckFactory]] = {
    "action:on-click": click_action,
    "action:on-select": select_action,
    "any": any_value,
    "any-string": lambda row, where, context: text_check(where, blank=True),
    "array<enum>": enum_list,
    "array<enum>|binding": enum_list_or_binding,
    "array<object>|binding": object_list_or_binding,
    "array<string>": string_list,
    "array<string>|binding": string_list_or_binding,
    "base64": base64_or_binding,
    "binding": binding_only,
    "bool": static_or_binding(is_bool, "a boolean"),
    "calendar<bool>": value_or_range(static_or_binding(is_bool, "a boolean")),
    "calendar<string>": value_or_range(string_of_kind("string")),
    "components": component_list,
    "condition": condition,
    "data": data_fields,
    "data-api": data_api_version,
    "enum": enum,
    "enum|binding": enum_or_binding,
    "int": static_or_binding(is_int, "an integer"),
    "label1": string_of_kind("label1"),
    "layout": layout,
    "loose-bool": static_or_binding(is_bool, "a boolean", loose=True),
    "map<components>": switch_cases,
    "messages": messages_by_name,
    "name": fixed_name,
    "number": static_or_binding(is_number, "a number"),
    "object": nested_object,
    "object|binding": static_or_binding(is_object, "an object"),
    "routing": routing_model,
    "screen-id": screen_id,
    "screens": component_list,
    "source": catalogue_source,
    "source|binding": catalogue_source_or_binding,
    "static-bool": static(is_bool, "a boolean"),
    "static-int": static(is_int, "an integer"),
    "static-object": static(is_object, "an object"),
    "string": string_of_kind("string"),
    "string|array<string>": text_or_text_list("string"),
    "string|object": text_or_messages,
    "text": string_of_kind("text"),
    "text|array<text>": text_or_text_list("text"),
    "url": url_or_binding,
}
