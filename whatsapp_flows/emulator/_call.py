"""
A request as the operations see it, and readers for its parameters.

Graph takes a parameter from the query, a form or a JSON body alike. In a form a list is
a JSON text; in a JSON body it is a list ("Flows API" page shows both).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Final

from ._errors import GraphError, Problem, error, error_body

_NUMBER: Final = re.compile("-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What stays the same from request to request."""

    base_url: str
    cdn_url: str
    app_id: str
    page_size: int = 25
    seed: int = 0
    download_lifetime: float = 300.0
    tokens: frozenset[str] | None = field(default=None, repr=False)
    app_secret: str | None = field(default=None, repr=False)

    def token_for(self, *facts: object) -> str:
        """A text that cannot be guessed from the facts without the seed, and is the same in every run."""
        return hashlib.sha256("|".join(map(str, (self.seed, *facts))).encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file part of a multipart body."""

    filename: str | None
    content_type: str | None
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, parsed."""

    method: str
    path: str
    now: float
    trace_id: str
    settings: Settings
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    # Query and body together; the body wins. Values are texts, or whatever JSON holds.
    parameters: Mapping[str, object] = field(default_factory=dict, repr=False)
    files: Mapping[str, Part] = field(default_factory=dict)
    token: str | None = field(default=None, repr=False)
    carries_credentials: bool = False
    # Why the body could not be read; None when it could.
    unreadable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One response."""

    status: int
    body: bytes = field(repr=False)
    content_type: str = "application/json; charset=UTF-8"


def json_answer(content: Mapping[str, object] | list[object], status: int = 200) -> Answer:
    """An answer with a JSON object, or an array."""
    return Answer(status=status, body=json.dumps(content, separators=(",", ":")).encode())


def refused(refusal: GraphError, trace_id: str) -> Answer:
    """The answer that a refusal becomes."""
    return json_answer(error_body(refusal.row, trace_id), refusal.row.status)


def text(call: Call, name: str) -> str | None:
    """A parameter that is a text; None when it is absent or null."""
    value = call.parameters.get(name)
    if value is None or isinstance(value, str):
        return value
    raise bad_parameter(name, "must be a string")


def required_text(call: Call, name: str) -> str:
    """A parameter that is a text and has to be there."""
    value = text(call, name)
    if not value:
        raise bad_parameter(name, "is required")
    return value


def identifier(call: Call, name: str) -> str | None:
    """A parameter that is the id of a node; None when it is absent. In a JSON body it may be a number as well."""
    value = call.parameters.get(name)
    return str(value) if type(value) is int else text(call, name)


def flag(call: Call, name: str) -> bool:
    """A parameter that is true or false; false when it is absent."""
    return as_flag(name, call.parameters.get(name, False))


def as_flag(name: str, value: object) -> bool:
    """True or false, as a JSON value or as a text."""
    known = {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
    if known is None:
        raise bad_parameter(name, "must be a boolean")
    return known


def texts(call: Call, name: str, *, commas: bool = False) -> tuple[str, ...] | None:
    """
    A parameter that is a list of texts; None when it is absent.

    With `commas`, a text that is no JSON list counts as names joined by commas: one
    widespread client sends `source_flow_names` like that.
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


def positive_number(call: Call, name: str, default: int) -> int:
    """A parameter that is a whole number above zero."""
    value = text_of_number(call.parameters.get(name, default))
    if value is None or value < 1:
        raise bad_parameter(name, "must be an integer greater than zero")
    return value


def text_of_number(value: object) -> int | None:
    """A whole number of at most 18 digits, given as one or as a text; None for anything else."""
    return int(str(value)) if _NUMBER.fullmatch(str(value)) else None


def timestamp(call: Call, seconds: float) -> str | int:
    """A time as the caller wants it: `date_format=U` gives Unix seconds."""
    if call.parameters.get("date_format") == "U":
        return int(seconds)
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+0000")


def bad_parameter(name: str, fault: str) -> Exception:
    """The refusal of a parameter: code 100."""
    return error(Problem.INVALID_PARAMETER, f"(#100) Param {name} {fault}")
