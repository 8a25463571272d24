"""
Flow JSON: reading what a caller passes, and validating it as Meta does, without Meta.

Each subpackage imports only from those before it, and only what their `__init__` gives:

    text        from bytes to values with places
    language    references, expressions and conditions: each parsed into a tree
    schema      what exists in which version, and the checks of the structure that are made of it
    rules       the rules about the meaning of a document, and advice
    (top)       build, report, validate, upgrade

The validator and its tables are loaded on first use: a client that only uploads does not load them.
"""

from typing import TYPE_CHECKING, Final

from .._lazy import lazy_names
from .text import BYTE_ORDER_MARK, MAX_BYTES, FlowJson, read_flow_json

if TYPE_CHECKING:
    from ._images import ImagePlace, image_places
    from ._report import Report
    from ._upgrade import Upgrade, upgrade
    from ._validate import validate
    from .language import (
        COMPARISONS,
        LOGICAL,
        Binary,
        Concatenation,
        ExpressionError,
        Group,
        Literal,
        Name,
        Node,
        Reference,
        Unary,
        called_references,
        embedded_reference,
        has_type,
        is_dynamic,
        is_expression,
        parse_condition,
        parse_expression,
        parse_reference,
        referenced_names,
        type_of_value,
        walk,
    )
    from .schema import (
        CAROUSEL_IMAGES,
        COMPONENT_TEXTS,
        COMPONENTS,
        DROPDOWN_WITH_IMAGES,
        ITEMS,
        KNOWN_VERSIONS,
        LARGE_LABEL,
        PlainSchema,
        Property,
        Shape,
        Version,
        data_model,
        describe_property,
        did_you_mean,
        json_schema,
        parse_version,
        places_of,
        plain_schema,
        properties_of,
        schema_failures,
    )
    from .text import Pointer, dump_in_style, format_pointer, json_string, parse_json, same_scalar, update_text

__all__ = [
    "BYTE_ORDER_MARK",
    "CAROUSEL_IMAGES",
    "COMPARISONS",
    "COMPONENTS",
    "COMPONENT_TEXTS",
    "DROPDOWN_WITH_IMAGES",
    "ITEMS",
    "KNOWN_VERSIONS",
    "LARGE_LABEL",
    "LOGICAL",
    "MAX_BYTES",
    "Binary",
    "Concatenation",
    "ExpressionError",
    "FlowJson",
    "Group",
    "ImagePlace",
    "Literal",
    "Name",
    "Node",
    "PlainSchema",
    "Pointer",
    "Property",
    "Reference",
    "Report",
    "Shape",
    "Unary",
    "Upgrade",
    "Version",
    "called_references",
    "data_model",
    "describe_property",
    "did_you_mean",
    "dump_in_style",
    "embedded_reference",
    "format_pointer",
    "has_type",
    "image_places",
    "is_dynamic",
    "is_expression",
    "json_schema",
    "json_string",
    "parse_condition",
    "parse_expression",
    "parse_json",
    "parse_reference",
    "parse_version",
    "places_of",
    "plain_schema",
    "properties_of",
    "read_flow_json",
    "referenced_names",
    "same_scalar",
    "schema_failures",
    "type_of_value",
    "update_text",
    "upgrade",
    "validate",
    "walk",
]

_LAZY: Final = {
    "._images": ("ImagePlace", "image_places"),
    "._report": ("Report",),
    "._upgrade": ("Upgrade", "upgrade"),
    "._validate": ("validate",),
    ".language": (
        "COMPARISONS",
        "LOGICAL",
        "Binary",
        "Concatenation",
        "ExpressionError",
        "Group",
        "Literal",
        "Name",
        "Node",
        "Reference",
        "Unary",
        "called_references",
        "embedded_reference",
        "has_type",
        "is_dynamic",
        "is_expression",
        "parse_condition",
        "parse_expression",
        "parse_reference",
        "referenced_names",
        "type_of_value",
        "walk",
    ),
    ".schema": (
        "CAROUSEL_IMAGES",
        "COMPONENTS",
        "COMPONENT_TEXTS",
        "DROPDOWN_WITH_IMAGES",
        "ITEMS",
        "KNOWN_VERSIONS",
        "LARGE_LABEL",
        "PlainSchema",
        "Property",
        "Shape",
        "Version",
        "data_model",
        "describe_property",
        "did_you_mean",
        "json_schema",
        "parse_version",
        "places_of",
        "plain_schema",
        "properties_of",
        "schema_failures",
    ),
    ".text": ("Pointer", "dump_in_style", "format_pointer", "json_string", "parse_json", "same_scalar", "update_text"),
}

__getattr__ = lazy_names(__name__, _LAZY)
