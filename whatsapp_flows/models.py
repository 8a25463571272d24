"""
Meta's answers as typed, frozen values.

A field that Meta leaves out is None or empty, an unknown value is kept as it is, and the whole answer is in `raw`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import TypeVar

from ._account_models import MigratedFlow, Migration, MigrationFailure, PhoneNumber, PublicKey, SubscribedApp
from ._dataclasses import dataclass, field
from ._fields import Raw, moment, nested, objects, real, strings, text, validation_issues, whole
from .errors import ValidationIssue, ValidationPointer

__all__ = [
    "Asset",
    "CreatedFlow",
    "EnsuredFlow",
    "Flow",
    "FlowJsonUpdate",
    "FlowStatus",
    "Health",
    "HealthEntity",
    "HealthIssue",
    "Metric",
    "MetricPoint",
    "MigratedFlow",
    "Migration",
    "MigrationFailure",
    "PhoneNumber",
    "Preview",
    "PublicKey",
    "SubscribedApp",
    "ValidationIssue",
    "ValidationPointer",
]

T = TypeVar("T")


class FlowStatus(str, Enum):
    """The states that Meta documents. `Flow.status` is a plain string for any other."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    DEPRECATED = "DEPRECATED"
    BLOCKED = "BLOCKED"
    THROTTLED = "THROTTLED"

    def __str__(self) -> str:
        return self.value

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A public link to the flow, good for 30 days or until invalidated. Whoever has it can open the flow."""

    url: str = field(repr=False)
    expires_at: datetime | None = None
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, found: Raw) -> Preview:
        """From `{preview_url, expires_at}`."""
        return cls(url=text(found, "preview_url") or "", expires_at=moment(found, "expires_at"), raw=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file of a flow. `download_url` is a signed link on another host, for immediate use."""

    name: str = ""
    asset_type: str = ""
    download_url: str = field(default="", repr=False)
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, found: Raw) -> Asset:
        """From an item of the assets edge."""
        return cls(
            name=text(found, "name") or "",
            asset_type=text(found, "asset_type") or "",
            download_url=text(found, "download_url") or "",
            raw=found,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthIssue:
    """Why an entity cannot send, and what Meta suggests."""

    error_code: int | None = None
    error_description: str = ""
    possible_solution: str = ""
    raw: Raw = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthEntity:
    """One link of the chain: FLOW, WABA, BUSINESS, APP, PHONE_NUMBER."""

    entity_type: str = ""
    id: str = ""
    can_send_message: str = ""
    errors: tuple[HealthIssue, ...] = ()
    additional_info: tuple[str, ...] = ()
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, found: Raw) -> HealthEntity:
        """From an item of `entities`."""
        return cls(
            entity_type=text(found, "entity_type") or "",
            id=text(found, "id") or "",
            can_send_message=text(found, "can_send_message") or "",
            errors=tuple(
                HealthIssue(
                    error_code=whole(issue, "error_code"),
                    error_description=text(issue, "error_description") or "",
                    possible_solution=text(issue, "possible_solution") or "",
                    raw=issue,
                )
                for issue in objects(found, "errors")
            ),
            additional_info=strings(found, "additional_info"),
            raw=found,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`can_send_message`: AVAILABLE, LIMITED or BLOCKED, over all entities."""

    can_send_message: str = ""
    entities: tuple[HealthEntity, ...] = ()
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, found: Raw) -> Health:
        """From `health_status`."""
        return cls(
            can_send_message=text(found, "can_send_message") or "",
            entities=tuple(HealthEntity.parse(entity) for entity in objects(found, "entities")),
            raw=found,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """
    A flow as Meta describes it. Fields that were not asked for are None or empty.

    A flow with `validation_errors` cannot be published. `assets` are there when the fields asked for them.
    """

    id: str
    name: str = ""
    status: FlowStatus | str = ""
    categories: tuple[str, ...] = ()
    validation_errors: tuple[ValidationIssue, ...] = ()
    json_version: str | None = None
    data_api_version: str | None = None
    endpoint_uri: str | None = None
    application_id: str | None = None
    whatsapp_business_account_id: str | None = None
    updated_at: datetime | None = None
    preview: Preview | None = None
    health: Health | None = None
    assets: tuple[Asset, ...] = ()
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, found: Raw) -> Flow:
        """From a flow node. `endpoint_uri` was called `data_channel_uri` before v18.0."""
        return cls(
            id=text(found, "id") or "",
            name=text(found, "name") or "",
            status=flow_status(found),
            categories=strings(found, "categories"),
            validation_errors=validation_issues(found),
            json_version=text(found, "json_version"),
            data_api_version=text(found, "data_api_version"),
            endpoint_uri=text(found, "endpoint_uri") or text(found, "data_channel_uri"),
            application_id=text(nested(found, "application"), "id"),
            whatsapp_business_account_id=text(nested(found, "whatsapp_business_account"), "id"),
            updated_at=moment(found, "updated_at"),
            preview=_one(Preview.parse, found, "preview"),
            health=_one(Health.parse, found, "health_status"),
            assets=tuple(Asset.parse(asset) for asset in objects(nested(found, "assets"), "data")),
            raw=found,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowJsonUpdate:
    """
    The upload has succeeded, after `attempts` requests.

    `validation_errors` come with a success: Meta has stored the Flow JSON, and will refuse to publish it. `issues` is
    what validation found before it was sent (`validate="warn"`).
    """

    success: bool
    validation_errors: tuple[ValidationIssue, ...] = ()
    attempts: int = 1
    issues: tuple[ValidationIssue, ...] = ()
    raw: Raw = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedFlow:
    """
    The new flow's id.

    `adopted`: an answer was lost, and the flow was found by its name (it may have been there before). `success` is
    False when the flow is not in the state that was asked for: its JSON is missing or another one, or it is not
    published. Upload and publish it then. `issues` is what validation found before (`validate="warn"`).
    """

    id: str
    success: bool = True
    validation_errors: tuple[ValidationIssue, ...] = ()
    adopted: bool = False
    issues: tuple[ValidationIssue, ...] = ()
    raw: Raw = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsuredFlow:
    """
    The flow, and what `ensure_flow` did. `success` is False when it is not in the state that was asked for.

    `created`: this call created it. `adopted`: this call may have created it, or it existed before: an answer was
    lost. `updated` and `uploaded`: its metadata or its Flow JSON differed, and were changed; `attempts` is how often
    the Flow JSON was sent, 0 if it was not. `published`: this call published it; `status` is the present one.

    `validation_errors` are Meta's, which prevent the publishing. `restored`: because of them, a live flow got its old
    Flow JSON back and is live again. `issues` is what validation found before it was sent
    (`validate="warn"`).
    """

    id: str
    name: str
    status: FlowStatus | str
    success: bool = True
    created: bool = False
    adopted: bool = False
    updated: bool = False
    uploaded: bool = False
    published: bool = False
    restored: bool = False
    attempts: int = 0
    validation_errors: tuple[ValidationIssue, ...] = ()
    issues: tuple[ValidationIssue, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return self.created or self.adopted or self.updated or self.uploaded or self.published or self.restored


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPoint:
    """One point in time: key -> number, for example `{"value": 138.0}`."""

    timestamp: datetime | None
    data: Mapping[str, float]
    raw: Raw = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A series of a flow's endpoint. Meta announced the end of its Metrics API for April 2026."""

    name: str = ""
    granularity: str = ""
    data_points: tuple[MetricPoint, ...] = ()
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, found: Raw) -> Metric:
        """From `metric`."""
        return cls(
            name=text(found, "name") or "",
            granularity=text(found, "granularity") or "",
            data_points=tuple(
                MetricPoint(
                    timestamp=moment(point, "timestamp"),
                    data={
                        text(entry, "key") or "": number
                        for entry in objects(point, "data")
                        if (number := real(entry, "value")) is not None
                    },
                    raw=point,
                )
                for point in objects(found, "data_points")
            ),
            raw=found,
        )


def flow_status(found: Raw, key: str = "status") -> FlowStatus | str:
    """A documented state, or the string that Meta sent."""
    value = text(found, key) or ""
    return FlowStatus(value) if value in FlowStatus.__members__ else value


def _one(parse: Callable[[Raw], T], found: Raw, key: str) -> T | None:
    value = nested(found, key)
    return parse(value) if value else None
