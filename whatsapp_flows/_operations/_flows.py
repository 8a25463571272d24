"""Operations on a flow and its files: read, change, upload, publish, deprecate, delete; `_create` creates one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from .._classify import unexpected
from .._dataclasses import replace
from .._fields import validation_issues
from .._wire import Operation, Request, Script, check_count
from ..errors import (
    ConfigurationError,
    ErrorDetails,
    FlowStateError,
    NotFoundError,
    PermissionDeniedError,
    PublishBlockedError,
)
from ..models import (
    Asset,
    Flow,
    FlowJsonUpdate,
    FlowStatus,
    Health,
    Metric,
    Preview,
)
from ._arguments import category_list, field_list, identifier, is_web_url, iso_date, nonempty_text, path_id
from ._graph import Api, Form, Page, check_success, list_page, read_list, read_node, read_object, write


def list_flows(api: Api, *, fields: str | Sequence[str] | None = None, page_size: int = 100) -> Operation[Page[Flow]]:
    """The first page of the account's flows."""
    check_count("page_size", page_size)
    query = {"fields": field_list(fields), "limit": str(page_size)}
    request = api.get("list_flows", f"{api.account()}/flows", query)
    return list_page(request, _flow_with_id, f"WABA ID: {api.waba_id}")


def get_flow(api: Api, flow_id: str, *, fields: str | Sequence[str] | None = None) -> Operation[Flow]:
    """A flow's node."""
    return read_node(api, "get_flow", flow_id, field_list(fields), lambda found: Flow.parse({"id": flow_id, **found}))


def get_health(api: Api, flow_id: str, *, phone_number_id: str | None = None) -> Operation[Health]:
    """Whether the flow can be sent, and what prevents it."""
    argument = "" if phone_number_id is None else f".phone_number({path_id('phone_number_id', phone_number_id)})"
    return read_node(api, "get_health", flow_id, f"health_status{argument}", Health.parse, part="health_status")


def get_preview(api: Api, flow_id: str, *, invalidate: bool = False) -> Operation[Preview]:
    """A link to try the flow. Meta creates one if there is none; `invalidate` replaces the previous one."""
    argument = "true" if invalidate else "false"
    return read_node(api, "get_preview", flow_id, f"preview.invalidate({argument})", Preview.parse, part="preview")


def get_metric(
    api: Api,
    flow_id: str,
    metric: str,
    granularity: str,
    *,
    since: date | str | None = None,
    until: date | str | None = None,
) -> Operation[Metric]:
    """A series of the flow's endpoint ("Flows Metrics API", which Meta is retiring)."""
    parts = [f"metric.name({identifier('metric', metric)})", f"granularity({identifier('granularity', granularity)})"]
    parts += [
        f"{name}({iso_date(name, given)})" for name, given in (("since", since), ("until", until)) if given is not None
    ]
    return read_node(api, "get_metric", flow_id, ".".join(parts), Metric.parse, part="metric")


def update_flow(
    api: Api,
    flow_id: str,
    *,
    name: str | None = None,
    categories: Sequence[str] | None = None,
    endpoint_uri: str | None = None,
    application_id: str | None = None,
) -> Operation[bool]:
    """Change metadata; None leaves a value unchanged. A published flow goes back to DRAFT."""
    form: dict[str, str] = {}
    if name is not None:
        form["name"] = nonempty_text("name", name)
    if categories is not None:
        form["categories"] = category_list(categories)
    if endpoint_uri is not None:
        form["endpoint_uri"] = nonempty_text("endpoint_uri", endpoint_uri)
    if application_id is not None:
        form["application_id"] = path_id("application_id", application_id)
    if not form:
        raise ConfigurationError(
            "update_flow needs something to change: name, categories, endpoint_uri, application_id."
        )
    request = api.post("update_flow", path_id("flow_id", flow_id), form, flow_id=flow_id)
    return write(request, f"flow ID: {flow_id}")


def update_flow_json(api: Api, flow_id: str, content: bytes) -> Operation[FlowJsonUpdate]:
    """Upload the Flow JSON. It replaces the whole document: repeating it is safe. A published flow becomes a DRAFT."""
    form: Form = {
        "file": ("flow.json", content, "application/json"),
        "name": "flow.json",
        "asset_type": "FLOW_JSON",
    }
    request = api.post("update_flow_json", f"{path_id('flow_id', flow_id)}/assets", form, flow_id=flow_id)

    def script(attempt: int) -> Script[FlowJsonUpdate]:
        answer = yield request
        found = read_object(answer, request)
        check_success(found, request, answer)
        return FlowJsonUpdate(
            success=True, validation_errors=validation_issues(found), attempts=attempt, raw=found
        )  # fmt: skip

    return Operation(name="update_flow_json", script=script, flow_id=flow_id, subject=f"flow ID: {flow_id}")


def publish_flow(api: Api, flow_id: str) -> Operation[bool]:
    """Publish. After a lost answer, the flow is read: if it is PUBLISHED, the work is done."""
    request = api.post("publish_flow", f"{path_id('flow_id', flow_id)}/publish", flow_id=flow_id)
    return replace(
        write(request, f"flow ID: {flow_id}"),
        idempotent=False,
        recover=lambda _: _has_status(api, flow_id, *PUBLISHED_STATUSES),
        resolves_ambiguity=lambda refusal: isinstance(refusal, (FlowStateError, PublishBlockedError)),
    )


def deprecate_flow(api: Api, flow_id: str) -> Operation[bool]:
    """Deprecate. After a lost answer, the flow is read: if it is DEPRECATED, the work is done."""
    request = api.post("deprecate_flow", f"{path_id('flow_id', flow_id)}/deprecate", flow_id=flow_id)
    return replace(
        write(request, f"flow ID: {flow_id}"),
        idempotent=False,
        recover=lambda _: _has_status(api, flow_id, FlowStatus.DEPRECATED),
        resolves_ambiguity=lambda refusal: isinstance(refusal, FlowStateError),
    )


def delete_flow(api: Api, flow_id: str) -> Operation[bool]:
    """Delete a draft. After a lost answer, the flow is read: if it does not exist, the work is done."""
    request = api.delete("delete_flow", path_id("flow_id", flow_id), flow_id=flow_id)
    return replace(
        write(request, f"flow ID: {flow_id}"),
        idempotent=False,
        recover=lambda _: _is_deleted(api, flow_id),
        resolves_ambiguity=lambda refusal: isinstance(refusal, NotFoundError),
    )


def _flow_with_id(found: Mapping[str, Any]) -> Flow:
    flow = Flow.parse(found)
    if not flow.id:
        raise unexpected("Meta listed a flow without an id.", Request(method="GET", url="", operation="list_flows"))
    return flow


def list_assets(api: Api, flow_id: str) -> Operation[tuple[Asset, ...]]:
    """The flow's files, all of them."""
    path = f"{path_id('flow_id', flow_id)}/assets"
    request = api.get("list_assets", path, {"fields": "name,asset_type,download_url"}, flow_id=flow_id)
    return read_list(request, Asset.parse, f"flow ID: {flow_id}")


def download_flow_json(api: Api, flow_id: str, *, asset: Asset | None = None) -> Operation[bytes]:
    """
    The stored Flow JSON, from Meta's CDN, which must not receive the token.

    The link of an `asset` from a recent listing is tried first, which saves listing the assets.
    """
    assets = list_assets(api, flow_id)

    def script(attempt: int) -> Script[bytes]:
        if asset is not None and attempt == 1:
            request = _download_request(api, flow_id, asset.download_url)
        else:
            request = yield from _fresh_download_request(api, assets)
        try:
            return (yield request).body
        except (NotFoundError, PermissionDeniedError):
            request = yield from _fresh_download_request(api, assets)  # the link has expired: request a fresh one, once
        try:
            return (yield request).body
        except (NotFoundError, PermissionDeniedError) as refusal:
            status = refusal.http_status
        raise unexpected(f"The download link was refused twice (HTTP {status}).", request)

    return Operation(name="download_flow_json", script=script, flow_id=flow_id, subject=f"flow ID: {flow_id}")


def _fresh_download_request(api: Api, assets: Operation[tuple[Asset, ...]]) -> Script[Request]:
    """The request for the file, with the link of a fresh listing."""
    listed = yield from assets.script(1)
    url = next((asset.download_url for asset in listed if asset.asset_type == "FLOW_JSON"), "")
    return _download_request(api, assets.flow_id, url)


def _download_request(api: Api, flow_id: str | None, url: str) -> Request:
    """The request for the file: to another host, without credentials, and not by http if the API is used by https."""
    request = Request(method="GET", url=url, operation="download_flow_json", flow_id=flow_id, authenticated=False)
    if not url:
        raise NotFoundError(
            ErrorDetails(
                message="The flow has no Flow JSON.",
                operation=request.operation,
                flow_id=flow_id,
                advice="Upload one with update_flow_json.",
            )
        )
    if not is_web_url(url, "https", urlsplit(api.base_url).scheme):
        raise unexpected("The download link is not an https URL.", request)
    return request


# The statuses of a flow that was published: only such a flow can be throttled or blocked ("Flows lifecycle").
PUBLISHED_STATUSES: Final = (FlowStatus.PUBLISHED, FlowStatus.THROTTLED, FlowStatus.BLOCKED)


def _has_status(api: Api, flow_id: str, *statuses: FlowStatus) -> Script[bool | None]:
    flow = yield from get_flow(api, flow_id, fields="id,status").script(1)
    return True if flow.status in statuses else None


def _is_deleted(api: Api, flow_id: str) -> Script[bool | None]:
    try:
        yield from get_flow(api, flow_id, fields="id").script(1)
    except NotFoundError as missing:
        if missing.code is None:  # a 404 without a code may come from a proxy
            raise
        return True
    return None
