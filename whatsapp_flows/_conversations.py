"""
What both clients do beyond one operation: a document read, checked and sent; a list searched; a migration in parts.

Conversations as the engine's own: they yield what they want done, so that one driver or the other can run them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from . import _operations as operations
from ._documents import Document, Validate, checked
from ._engine import Conversation, Rules, converse, work
from ._operations import Api, Page
from ._wire import Operation
from .flow_json import FlowJson, read_flow_json
from .models import CreatedFlow, Flow, FlowJsonUpdate, FlowStatus, Migration

T = TypeVar("T")

_AT_ONCE: Final = 256 * 1024  # bytes of JSON that are looked through in a millisecond or two


def update_flow_json(
    api: Api, rules: Rules, flow_id: str, json: FlowJson, validate: Validate
) -> Conversation[FlowJsonUpdate]:
    """The document is read and checked, then sent; what the check found is on the result."""
    rules = rules.begun()
    document = yield from read_document(json, validate, "json")
    update = yield from converse(operations.update_flow_json(api, flow_id, document.content), rules)
    return replace(update, issues=document.issues) if document.issues else update


def create_flow(
    api: Api,
    rules: Rules,
    name: str,
    categories: Sequence[str],
    *,
    flow_json: FlowJson | None,
    publish: bool,
    clone_flow_id: str | None,
    endpoint_uri: str | None,
    validate: Validate,
) -> Conversation[CreatedFlow]:
    """The same for a flow that is created with its document."""
    rules, document = rules.begun(), None
    if flow_json is not None:
        document = yield from read_document(flow_json, validate, "flow_json")
    operation = operations.create_flow(
        api,
        name,
        categories,
        flow_json=document.content if document else None,
        publish=publish,
        clone_flow_id=clone_flow_id,
        endpoint_uri=endpoint_uri,
    )
    created = yield from converse(operation, rules)
    return replace(created, issues=document.issues) if document and document.issues else created


def find_flow_by_name(api: Api, rules: Rules, name: str) -> Conversation[Flow | None]:
    """Page by page, each a call of its own, and no further than to a living flow of that name."""
    operations.words("name", name)
    rules = rules.begun()
    deprecated: Flow | None = None
    following: Operation[Page[Flow]] | None = operations.list_flows(api)
    while following is not None:
        page = yield from converse(following, rules)
        match = operations.best_match(name, page.items)
        if match is not None and match.status != FlowStatus.DEPRECATED:
            return match
        deprecated = deprecated or match
        following = page.following
    return deprecated


def migrate_flows(api: Api, rules: Rules, source_waba_id: str, names: Sequence[str] | None) -> Conversation[Migration]:
    """The batches one after the other, each a call of its own, as one outcome."""
    rules, outcomes = rules.begun(), []
    for batch in operations.migrate_flows(api, source_waba_id, names):
        outcomes.append((yield from converse(batch, rules)))  # noqa: PERF401 - a comprehension cannot yield
    return operations.merged(outcomes)


def read_document(source: FlowJson, validate: Validate, argument: str) -> Conversation[Document]:
    """The document; a mapping is written down at once, since its owner may change it meanwhile."""
    content = yield from _aside(_may_block(source), lambda: read_flow_json(source, argument=argument, keep_mark=True))
    return (yield from _aside(validate != "off", lambda: checked(content, validate)))


def _may_block(source: FlowJson) -> bool:
    if isinstance(source, (str, bytes)):
        return len(source) > _AT_ONCE
    return not isinstance(source, (Mapping, bytearray))


def _aside(blocking: bool, task: Callable[[], T]) -> Conversation[T]:
    return (yield from work(task)) if blocking else task()
