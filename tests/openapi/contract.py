"""
Checks requests and answers against Meta's own OpenAPI file for the Flows management API.

The file is Meta's, under the MIT License beside this module, without its prose. It is
older than Meta's pages and lenient: hardly a property is required and none is forbidden.
So the checker reads it strictly, a name that it does not list is a violation, and what
Meta's pages say beyond it stands in DIFFERENCES, row by row.
"""

from __future__ import annotations

import email.policy
import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from jsonschema import Draft202012Validator, FormatChecker

_FILE: Final = Path(__file__).with_name("flows-openapi-v23.0.json")
_STRING: Final = {"type": "string"}
_LIST_AS_TEXT: Final = {"type": "string", "format": "json-array"}
_PLACE: Final = {name: {"type": "integer"} for name in ("line_start", "line_end", "column_start", "column_end")}
_ISSUES: Final[dict[str, Any]] = {
    "items": {
        "type": "object",
        "required": ["error", "message"],
        "properties": {
            "error": _STRING,
            "error_type": _STRING,
            "message": _STRING,
            **_PLACE,
            "pointers": {"type": "array", "items": {"type": "object", "properties": {**_PLACE, "path": _STRING}}},
        },
    }
}
_TIME: Final = {"type": ["string", "integer"]}
_PAGING: Final = {"properties": {"next": _STRING, "previous": _STRING}}
_ASSET: Final[dict[str, Any]] = {
    "type": "object",
    "properties": dict.fromkeys(("name", "asset_type", "download_url"), _STRING),
}


class ContractViolationError(AssertionError):
    """A request or an answer that Meta's description does not allow."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What holds beyond the file: an operation or a schema, the part of it, what is merged in, and the evidence."""

    where: str
    part: str
    patch: Mapping[str, Any]
    why: str


def _properties(**properties: Any) -> dict[str, Any]:
    return {"properties": properties}


# The nodes that the file does not describe, or describes only as items of a list: "WhatsApp Business Account" and
# "Phone numbers" pages. Names that are not listed are violations here, too.
_SUBSCRIPTION: Final = _properties(
    override_callback_uri=_STRING, whatsapp_business_api_data=_properties(id=_STRING, name=_STRING, link=_STRING)
)
_HEALTH: Final = _properties(can_send_message=_STRING, entities={"type": "array", "items": {"type": "object"}})
_ACCOUNT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id"],
    **_properties(
        **dict.fromkeys(
            (
                "id", "name", "timezone_id", "message_template_namespace", "account_review_status", "business_type",
                "business_verification_status", "country", "currency", "ownership_type", "primary_business_location",
                "status", "marketing_messages_lite_api_status", "whatsapp_business_manager_messaging_limit",
            ),
            _STRING,
        ),
        **{
            name: {"type": "boolean"}
            for name in (
                "disable_marketing_messages_on_cloud_api", "is_enabled_for_insights", "is_shared_with_partners",
                "template_auto_archival_enabled",
            )
        },
        creation_time={"type": "integer"},
        owner_business=_properties(id=_STRING, name=_STRING),
        owner_business_info=_properties(id=_STRING, name=_STRING),
        health_status=_HEALTH,
        **{
            edge: _properties(data={"type": "array", "items": {"type": "object"}})
            for edge in ("phone_numbers", "subscribed_apps")
        },
    ),
}  # fmt: skip
_MORE_OF_A_NUMBER: Final = _properties(
    **dict.fromkeys(
        ("certificate", "name_status", "new_name_status", "new_display_name", "platform_type", "search_visibility"),
        _STRING,
    ),
    **{name: {"type": "boolean"} for name in ("is_on_biz_app", "is_pin_enabled", "is_preverified_number")},
    last_onboarded_time=_TIME,
    whatsapp_business_manager_messaging_limit=_STRING,
    health_status=_HEALTH,
    quality_score=_properties(score=_STRING),
    throughput=_properties(level=_STRING),
    webhook_configuration=_properties(application=_STRING, phone_number=_STRING, whatsapp_business_account=_STRING),
)

# "Flows API" is Meta's prose page of that name, which is newer than the file.
DIFFERENCES: Final = (
    Difference(
        "createFlow",
        "request",
        {
            "required": ["name", "categories"],
            **_properties(
                categories=_LIST_AS_TEXT, flow_json=_STRING, publish={"enum": ["true", "false"]}, clone_template=_STRING
            ),
        },
        "Flows API, create: flow_json and publish since Jan 14, 2025; name and categories are required",
    ),
    Difference(
        "createFlow",
        "response",
        {
            "required": ["id"],
            **_properties(success={"type": "boolean"}, validation_errors={"type": "array", **_ISSUES}),
        },
        "Flows API, create: with flow_json the answer says how the JSON was received",
    ),
    Difference(
        "updateFlowMetadata",
        "request",
        _properties(categories=_LIST_AS_TEXT, application_id=_STRING),
        "Flows API, update: application_id since Jun 11, 2024",
    ),
    Difference(
        "migrateFlows",
        "request",
        {"required": ["source_waba_id"], **_properties(source_flow_names=_LIST_AS_TEXT)},
        "Flows API, migrate",
    ),
    Difference(
        "migrateFlows", "response", {"required": ["migrated_flows", "failed_flows"]}, "Flows API, migrate: example"
    ),
    Difference(
        "updateFlowJson",
        "request",
        {
            "required": ["file", "name", "asset_type"],
            **_properties(name={"const": "flow.json"}, asset_type={"const": "FLOW_JSON"}),
        },
        "Flows API, upload: all three parts are required, two of them literal",
    ),
    Difference(
        "updateFlowJson",
        "response",
        {"required": ["success"], **_properties(validation_errors=_ISSUES)},
        "Flows API, upload: pointers in validation errors",
    ),
    Difference(
        "getFlow",
        "response",
        {
            "required": ["id"],
            **_properties(
                assets=_properties(data={"type": "array", "items": _ASSET}),
                endpoint_uri=_STRING,
                health_status=_properties(
                    entities={
                        "items": _properties(
                            additional_info={"type": "array", "items": _STRING}, can_receive_call_sip=_STRING
                        )
                    }
                ),
                metric=_properties(data_points={"items": _properties(timestamp=_TIME)}),
                preview=_properties(expires_at=_TIME),
                updated_at=_TIME,
                validation_errors=_ISSUES,
            ),
        },
        "Flows API, field table; changelog of Mar 2024 (updated_at); date_format=U makes times numbers",
    ),
    Difference(
        "listFlows",
        "response",
        {"required": ["data"], **_properties(paging=_PAGING)},
        "Graph paging: next and previous",
    ),
    Difference(
        "listAssetsGetFlowJsonUrl",
        "response",
        {"required": ["data"], **_properties(data={"items": _ASSET}, paging=_PAGING)},
        "Graph paging: next and previous",
    ),
    *(
        Difference(operation, "response", {"required": ["success"]}, "Flows API: writes answer success")
        for operation in ("updateFlowMetadata", "deleteFlow", "publishFlow", "deprecateFlow")
    ),
    *(
        Difference(
            operation,
            "response",
            _properties(data={"items": _SUBSCRIPTION}),
            "Webhooks collection: the app stands inside whatsapp_business_api_data; the file's own examples",
        )
        for operation in ("getAllSubscriptionsForAWaba", "subscribeToWabaWebhooks")
    ),
    Difference(
        "getWhatsAppBusinessAccountPhoneNumbers",
        "response",
        _properties(data={"items": {"required": ["id"], **_MORE_OF_A_NUMBER}}),
        "Graph: `fields` narrows an answer, whatever the schema requires; the id is always there; Phone numbers page",
    ),
    Difference(
        "getBusinessEncryptionPublicKey",
        "response",
        {"required": ["data"], **_properties(data={"items": {"required": []}})},
        "Graph: `fields` narrows an answer, whatever the schema requires",
    ),
    Difference(
        "GraphAPIError", "schema", _properties(error=_properties(error_data={})), "Error handling guide: error_data"
    ),
    Difference(
        "GraphAPIError",
        "schema",
        _properties(error=_properties(original_response={})),
        "Advanced uses guide, read-after-write: what the write itself answered, when the read after it fails",
    ),
)

# Graph takes these with any call: Secure requests guide, paging and field expansion guides.
_EVERYWHERE: Final[Mapping[str, Mapping[str, Any]]] = {
    "access_token": _STRING,
    "after": _STRING,
    "appsecret_proof": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "appsecret_time": {"type": "integer"},
    "before": _STRING,
    "date_format": _STRING,
    "fields": _STRING,
    "limit": {"type": "integer", "minimum": 1},
}
_FORMATS: Final = FormatChecker(formats=())


@_FORMATS.checks("json-array", raises=ValueError)
def _is_json_array(value: object) -> bool:
    """In a form, a list is a JSON text."""
    return not isinstance(value, str) or isinstance(json.loads(value), list)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the file, with the differences merged in."""

    id: str
    parameters: tuple[Mapping[str, Any], ...]
    request: Mapping[str, Any] | None
    response: Mapping[str, Any]
    body_required: bool


def check_response(method: str, path: str, status: int, body: object) -> str:
    """
    Check the parsed body of an answer; the id of the operation comes back.

    Any error has to be a GraphAPIError: the file leaves the errors of Flow paths out.
    """
    operation, _ = _find(method, path)
    if status != 200 and status < 400:
        raise ContractViolationError(f"{operation.id}: no answer with status {status} is described")
    _validate(f"{operation.id} {status}", body, operation.response if status == 200 else _ERROR)
    return operation.id


def check_node(kind: str, body: object) -> None:
    """Check an account or a phone number that was read by its id."""
    _validate(kind, body, _NODES[kind])


def check_request(
    method: str,
    path: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    content_type: str | None,
    body: bytes,
) -> str:
    """Check what is sent; the id of the operation comes back."""
    operation, path_values = _find(method, path)
    declared = {(each["in"], each["name"]): each["schema"] for each in operation.parameters}
    for name, value in path_values.items():
        _validate(f"{operation.id} path {name}", value, declared["path", name])
    in_query = {**_EVERYWHERE, **{name: schema for (place, name), schema in declared.items() if place == "query"}}
    form = _form(operation, content_type, body)
    for name, value in query.items():
        if name in in_query:
            _validate(f"{operation.id} query {name}", _typed(value, in_query[name]), in_query[name])
        elif method == "POST":
            form[name] = value
        else:
            raise ContractViolationError(f"{operation.id}: nothing is said of the query parameter {name!r}")
    _check_token(operation, headers, {**query, **form}, declared["header", "Authorization"])
    own = {name: value for name, value in form.items() if name not in _EVERYWHERE}
    if operation.request is not None and (own or operation.body_required or operation.request.get("required")):
        _validate(f"{operation.id} request", own, operation.request)
    elif own:
        raise ContractViolationError(f"{operation.id} takes no body, got {sorted(own)}")
    return operation.id


def _check_token(
    operation: Operation, headers: Mapping[str, str], values: Mapping[str, str], schema: Mapping[str, Any]
) -> None:
    """The header, as the file wants it, or the parameter that Graph takes as well."""
    authorization = {name.lower(): value for name, value in headers.items()}.get("authorization")
    if authorization is not None:
        _validate(f"{operation.id} Authorization", authorization, schema)
    elif not values.get("access_token"):
        raise ContractViolationError(f"{operation.id}: no access token")


def _form(operation: Operation, content_type: str | None, body: bytes) -> dict[str, str]:
    """A body of any encoding that Graph takes, as the form that it stands for."""
    if not body:
        return {}
    kind = (content_type or "").partition(";")[0].strip().lower()
    if operation.id == "updateFlowJson" and kind != "multipart/form-data":
        raise ContractViolationError("updateFlowJson insists on multipart/form-data")
    if kind == "multipart/form-data":
        return dict(_parts(content_type or "", body))
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
    if kind == "application/json":
        return {name: _as_form_value(name, value) for name, value in json.loads(body).items()}
    raise ContractViolationError(f"{operation.id}: a body of type {content_type!r}")


def _parts(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise ContractViolationError("the multipart body cannot be read: is its boundary in the Content-Type?")
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        if not isinstance(name, str) or not isinstance(content, bytes):
            raise ContractViolationError("a part of the multipart body has no name")
        if name == "file" and not part.get_filename():
            raise ContractViolationError("the file part has no file name")
        yield name, content.decode("utf-8", "replace")


def _as_form_value(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        raise ContractViolationError(f"{name} must be a JSON text, not an object")
    return json.dumps(value)


def _typed(value: str, schema: Mapping[str, Any]) -> object:
    if schema.get("type") != "integer":
        return value
    try:
        return int(value)
    except ValueError:
        return value


def _validate(what: str, value: object, schema: Mapping[str, Any]) -> None:
    found = sorted(
        f"{what} {error.json_path}: {error.message}"
        for error in Draft202012Validator(schema, format_checker=_FORMATS).iter_errors(value)
    )
    if found:
        raise ContractViolationError("\n".join(found))


def _find(method: str, path: str) -> tuple[Operation, dict[str, str]]:
    """The operation of a path, and what stands in the blanks of its template."""
    segments = path.partition("?")[0].strip("/").split("/")
    for template, operations in _OPERATIONS.items():
        names = template.strip("/").split("/")
        pairs = list(zip(names, segments, strict=False))
        if len(names) == len(segments) and all(name == given for name, given in pairs if name[0] != "{"):
            if method not in operations:
                raise ContractViolationError(f"{template} has no {method}")
            return operations[method], {name[1:-1]: given for name, given in pairs if name[0] == "{"}
    raise ContractViolationError(f"no such path: {path}")


def _resolved(node: Any, spec: Mapping[str, Any]) -> Any:
    """A copy with every $ref replaced by what it points to."""
    if isinstance(node, list):
        return [_resolved(item, spec) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target: Any = spec
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return _resolved(target, spec)
    return {key: _resolved(value, spec) for key, value in node.items()}


def _merged(node: Any, patch: Any) -> Any:
    if not isinstance(node, dict) or not isinstance(patch, Mapping):
        return deepcopy(patch)
    return {**node, **{key: _merged(node.get(key), value) for key, value in patch.items()}}


def _closed(node: Any) -> Any:
    """A schema that takes no properties but those it lists."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    return {**closed, "additionalProperties": False} if isinstance(node.get("properties"), dict) else closed


def _patched(where: str, part: str, schema: Any, differences: Iterable[Difference]) -> Any:
    for difference in differences:
        if (difference.where, difference.part) == (where, part):
            schema = _merged(schema, difference.patch)
    return schema


def _first_schema(content: Mapping[str, Any]) -> Any:
    """The schema of a body; the file describes one encoding each."""
    return next(iter(content.values()))["schema"]


_WRITES_ON_A_FLOW: Final = ("createFlow", "updateFlowMetadata", "updateFlowJson", "publishFlow", "deprecateFlow")


def _operations(spec: Mapping[str, Any], differences: tuple[Difference, ...]) -> dict[str, dict[str, Operation]]:
    found: dict[str, dict[str, Operation]] = {}
    responses: dict[str, Any] = {}
    for item in spec["paths"].values():
        for entry in item.values():
            if isinstance(entry, dict):
                schema = _first_schema(entry["responses"]["200"]["content"])
                responses[entry["operationId"]] = _patched(entry["operationId"], "response", schema, differences)
    # One more difference: `fields` may ask a list, and the answer to a write, for any field of the node.
    node = responses["getFlow"]["properties"]
    responses["listFlows"]["properties"]["data"]["items"]["properties"] |= node
    for write in _WRITES_ON_A_FLOW:
        responses[write]["properties"] = {**node, **responses[write]["properties"]}
    for template, item in spec["paths"].items():
        for method, entry in item.items():
            if isinstance(entry, dict):
                operation_id, body = entry["operationId"], entry.get("requestBody")
                request = (
                    _patched(operation_id, "request", _first_schema(body["content"]), differences) if body else None
                )
                found.setdefault(template, {})[method.upper()] = Operation(
                    id=operation_id,
                    parameters=tuple(item.get("parameters", []) + entry.get("parameters", [])),
                    request=_closed(request),
                    response=_closed(responses[operation_id]),
                    body_required=bool(body and body.get("required")),
                )
    return found


_SPEC: Final = json.loads(_FILE.read_text("utf-8"))
_RESOLVED: Final = _resolved(_SPEC, _SPEC)
_OPERATIONS: Final = _operations(_RESOLVED, DIFFERENCES)
_ERROR: Final = _closed(
    _patched("GraphAPIError", "schema", _RESOLVED["components"]["schemas"]["GraphAPIError"], DIFFERENCES)
)
_NODES: Final = {
    "account": _closed(_ACCOUNT),
    "phone_number": _OPERATIONS["/{Version}/{WABA-ID}/phone_numbers"]["GET"].response["properties"]["data"]["items"],
}
