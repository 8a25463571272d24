"""
A Graph API call as the operations see it, and readers for its parameters.

Graph accepts each parameter in the query, in a form or in a JSON body. In a form, a list is JSON text; in a JSON body
it is an array (the "Flows API" page shows both).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Final

from ..._json import compact_json
from ._errors import GraphError, Problem, error_body, graph_error

_NUMBER: Final = re.compile("-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options that are the same for all calls."""

    app_id: str
    # Where the emulator listens, and the host of download links; empty before it is started.
    base_url: str = ""
    cdn_url: str = ""
    page_size: int = 25
    seed: int = 0
    download_lifetime: float = 300.0
    tokens: frozenset[str] | None = field(default=None, repr=False)
    app_secret: str | None = field(default=None, repr=False)

    def token_for(self, *facts: object) -> str:
        """A token derived from the facts and the seed: the same in every run, not predictable without the seed."""
        return hashlib.sha256("|".join(map(str, (self.seed, *facts))).encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file part of a multipart body."""

    filename: str | None
    content_type: str | None
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCall:
    """One call of the Graph API."""

    method: str
    path: str
    now: float
    trace_id: str
    settings: Settings
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    # Query and body merged; the body takes precedence. Values are strings, or JSON values from a JSON body.
    parameters: Mapping[str, object] = field(default_factory=dict, repr=False)
    files: Mapping[str, Part] = field(default_factory=dict)
    token: str | None = field(default=None, repr=False)
    carries_credentials: bool = False
    # Why the body could not be parsed; None when it could.
    unreadable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphResponse:
    """The response to one call."""

    status: int
    body: bytes = field(repr=False)
    content_type: str = "application/json; charset=UTF-8"


def json_response(content: Mapping[str, object] | list[object], status: int = 200) -> GraphResponse:
    """A response with a JSON object or array as its body."""
    return GraphResponse(status=status, body=compact_json(content).encode())


def plain_text(status: int, message: str) -> GraphResponse:
    """A response of a download host."""
    return GraphResponse(status=status, body=message.encode(), content_type="text/plain")


def error_response(error: GraphError, trace_id: str) -> GraphResponse:
    """The response for an error that an operation raised."""
    return json_response(error_body(error.spec, trace_id), error.spec.status)


def text(call: GraphCall, name: str) -> str | None:
    """A string parameter; None when it is absent or null."""
    value = call.parameters.get(name)
    if value is None or isinstance(value, str):
        return value
    raise bad_parameter(name, "must be a string")


def required_text(call: GraphCall, name: str) -> str:
    """A string parameter that is required and not empty."""
    value = text(call, name)
    if not value:
        raise bad_parameter(name, "is required")
    return value


def identifier(call: GraphCall, name: str) -> str | None:
    """A node id parameter; None when it is absent. A JSON body may hold it as a number."""
    value = call.parameters.get(name)
    return str(value) if type(value) is int else text(call, name)


def flag(call: GraphCall, name: str) -> bool:
    """A boolean parameter; False when it is absent."""
    return parse_flag(name, call.parameters.get(name, False))


def parse_flag(name: str, value: object) -> bool:
    """A boolean, given as a JSON value or as a string."""
    known = {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
    if known is None:
        raise bad_parameter(name, "must be a boolean")
    return known


def text_list(call: GraphCall, name: str, *, commas: bool = False) -> tuple[str, ...] | None:
    """
    A parameter that is a list of strings; None when it is absent.

    With `commas`, a string that is not a JSON array is split at commas: a widespread client sends `source_flow_names`
    in that form.
    """
    value = call.parameters.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = value.split(",") if commas else value
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise bad_parameter(name, "must be an array of strings")
    return tuple(value)


def positive_number(call: GraphCall, name: str, default: int) -> int:
    """An integer parameter greater than zero."""
    value = parse_int(call.parameters.get(name, default))
    if value is None or value < 1:
        raise bad_parameter(name, "must be an integer greater than zero")
    return value


def parse_int(value: object) -> int | None:
    """An integer of at most 18 digits, given as a number or a string; None for anything else."""
    return int(str(value)) if _NUMBER.fullmatch(str(value)) else None


def timestamp(call: GraphCall, seconds: float) -> str | int:
    """A time in the format that the call asks for: Unix seconds with `date_format=U`, else ISO 8601."""
    if call.parameters.get("date_format") == "U":
        return int(seconds)
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+0000")


def bad_parameter(name: str, reason: str) -> GraphError:
    """The error for an invalid parameter: code 100."""
    return graph_error(Problem.INVALID_PARAMETER, f"(#100) Param {name} {reason}")
