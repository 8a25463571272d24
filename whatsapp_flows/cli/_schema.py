"""`schema`: a JSON schema of Flow JSON, for editors."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import click

from ..errors import ConfigurationError
from ..flow_json import KNOWN_VERSIONS, json_schema, parse_version
from ._app import App
from ._json import Json, as_json
from ._options import Command
from ._values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaText(Value):
    """A JSON schema."""

    schema: dict[str, Any] = field(repr=False)


@as_json.register
def _(value: SchemaText) -> Json:
    return value.schema


@click.command("schema", cls=Command, api=False)
@click.option(
    "--version", "version", metavar="N.N", default="7.3", show_default=True, help="Version of Flow JSON to describe."
)
@click.pass_obj
def schema_command(app: App, version: str) -> SchemaText:
    """
    Write a JSON schema of Flow JSON, for editors.

    Editors complete and underline by it: see "Help in the editor" in the documentation. It finds less than
    validate.
    """
    found = parse_version(version)
    if found is None or found not in KNOWN_VERSIONS:
        known = ", ".join(map(str, KNOWN_VERSIONS))
        raise ConfigurationError(f"there is no Flow JSON version {version!r}: {known}.")
    schema = json_schema(found)
    return replace(SchemaText(schema=schema), raw=(json.dumps(schema, indent=2) + "\n").encode())
