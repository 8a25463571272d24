"""The desired state of one flow, and of all flows of an account."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from ..._digest import digest_of
from ...errors import ConfigurationError, ValidationIssue
from ...flow_json import FlowJson, read_flow_json, validate
from ._hints import hint
from ._variables import Replaced, in_file


@dataclass(frozen=True, kw_only=True)
class DesiredFlow:
    """
    The desired state of a flow.

    `key` is its name in the repository, `name` its name at Meta (unique in an account). `content` is the Flow JSON as
    it is sent. If `endpoint_uri` or `application_id` is None, it is not changed. `publish`: the flow should be
    PUBLISHED, and may be a draft for a moment when it is changed. `replace`: if it cannot be edited, a flow of another
    name replaces it (see `generation_name`). `file` is the file of the Flow JSON, for messages and for `pull`;
    `variables` are those of the file, `replaced` are their places in it.
    """

    key: str
    name: str
    content: bytes = field(repr=False)
    categories: tuple[str, ...] = ("OTHER",)
    endpoint_uri: str | None = None
    application_id: str | None = None
    publish: bool = False
    replace: bool = False
    file: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    replaced: tuple[Replaced, ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def from_flow_json(
        cls,
        key: str,
        flow_json: FlowJson,
        *,
        name: str | None = None,
        categories: Iterable[str] = ("OTHER",),
        endpoint_uri: str | None = None,
        application_id: str | None = None,
        publish: bool = False,
        replace: bool = False,
    ) -> DesiredFlow:
        """
        A flow from a Flow JSON in any form that `update_flow_json` accepts; `name` defaults to the key.

        Raises `ConfigurationError` if it is not a Flow JSON.

        >>> DesiredFlow.from_flow_json("booking", {"version": "7.3", "screens": []}, publish=True).name
        'booking'
        """
        return cls(
            key=key, name=name or key, content=read_flow_json(flow_json, argument="flow_json"),
            categories=tuple(categories), endpoint_uri=endpoint_uri, application_id=application_id,
            publish=publish, replace=replace,
        )  # fmt: skip

    @cached_property
    def digest(self) -> str:
        """The digest of the Flow JSON, without regard to its layout (see `digest_of`); empty if it cannot be read."""
        return digest_of(self.content) or ""

    @cached_property
    def needs_endpoint(self) -> bool:
        """
        Whether Meta publishes it only with an endpoint: its Flow JSON has a `data_api_version`.

        Before version 3.0 the Flow JSON itself had the endpoint ("Flow JSON", `data_channel_uri`).
        """
        try:
            document = json.loads(self.content)
        except (ValueError, RecursionError):
            return False
        found = document if isinstance(document, dict) else {}
        return found.get("data_api_version") is not None and found.get("data_channel_uri") is None

    def errors(self, today: date | None = None) -> tuple[ValidationIssue, ...]:
        """
        The errors that the validator finds in the Flow JSON; `today` decides which versions are frozen.

        The result is cached for each day, so that a caller can validate before the first request.
        """
        day = date.today() if today is None else today
        if day not in self._errors:
            self._errors[day] = self.in_file(validate(self.content, today=day, advice=False).errors)
        return self._errors[day]

    def in_file(self, issues: Iterable[ValidationIssue]) -> tuple[ValidationIssue, ...]:
        """Issues of the Flow JSON as it is sent, with the places changed to those in the file."""
        return in_file(issues, self.replaced)

    @cached_property
    def _errors(self) -> dict[date, tuple[ValidationIssue, ...]]:
        return {}

    @property
    def source(self) -> str:
        """The file, or without one the key; for messages."""
        return str(self.file) if self.file is not None else self.key

    def to_json(self) -> dict[str, Any]:
        """Plain values for `from_json`, for a message of a task queue, for example."""
        return {
            "key": self.key,
            "name": self.name,
            "content": self.content.decode(),
            "categories": list(self.categories),
            "endpoint_uri": self.endpoint_uri,
            "application_id": self.application_id,
            "publish": self.publish,
            "replace": self.replace,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> DesiredFlow:
        """The flow that `to_json` wrote."""
        given = {**document, "content": document["content"].encode(), "categories": tuple(document["categories"])}
        return cls(**given)


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """
    All flows that an account should have, and the lock file.

    `account_id` is the WhatsApp Business Account; None: that of the client. `environment` is the name of their
    environment, empty for none. `lock_file` None: no run knows of earlier ones. `source` is the file that they were
    read from, `warnings` are the warnings of its reader.
    Raises `ConfigurationError` for two flows with the same key or name.
    """

    flows: tuple[DesiredFlow, ...]
    account_id: str | None = None
    environment: str = ""
    lock_file: Path | None = None
    source: str = ""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        keys: set[str] = set()
        names: dict[str, str] = {}
        for flow in self.flows:
            if flow.key in keys:
                raise ConfigurationError(f"{self.source or 'flows'}: two flows have the key {flow.key!r}.")
            if flow.name in names:
                raise ConfigurationError(
                    f"{self.source or 'flows'} [flows.{flow.key}] name: {flow.name!r} is already the name of "
                    f"[flows.{names[flow.name]}]."
                )
            keys.add(flow.key)
            names[flow.name] = flow.key

    def select(self, wanted: Collection[str]) -> tuple[DesiredFlow, ...]:
        """
        The flows with these keys or names, in their order; all flows if `wanted` is empty.

        Raises `ConfigurationError` for an unknown one.
        """
        known = {name: flow.key for flow in self.flows for name in (flow.name, flow.key)}
        known.update({flow.key: flow.key for flow in self.flows})
        for name in wanted:
            if name not in known:
                raise ConfigurationError(f"{self.source or 'the workspace'} has no flow {name!r}{hint(name, known)}")
        chosen = {known[name] for name in wanted}
        return tuple(flow for flow in self.flows if not wanted or flow.key in chosen)
