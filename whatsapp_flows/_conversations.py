"""
Calls of the clients that are more than one operation: check and send a document, search a list, migrate in batches.

They are conversations like the engine's: they yield steps, so that either driver can run them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from . import _operations as operations
from ._dataclasses import replace
from ._documents import FlowJsonUpload, Validate, prepare_upload
from ._engine import CallPolicy, Conversation, converse, run_blocking
from ._operations import Api, NewFlow, Page
from ._wire import Operation
from .flow_json import FlowJson, read_flow_json
from .models import CreatedFlow, Flow, FlowJsonUpdate, FlowStatus, Migration

if TYPE_CHECKING:
    from ._media_values import EncryptedMedia, ResponseMedia
    from ._operations import NewTemplate
    from .messages import FlowTemplate

T = TypeVar("T")

_INLINE_READ_MAX_BYTES: Final = 256 * 1024  # bytes of JSON that are checked in a millisecond or two


def update_flow_json(
    api: Api, policy: CallPolicy, flow_id: str, json: FlowJson, validate: Validate
) -> Conversation[FlowJsonUpdate]:
    """Read and check the document, then send it; the result has the issues that the check found."""
    policy = policy.starting_now()
    document = yield from read_document(json, validate, "json")
    update = yield from converse(operations.update_flow_json(api, flow_id, document.content), policy)
    return replace(update, issues=document.issues) if document.issues else update


def create_flow(
    api: Api, policy: CallPolicy, new: NewFlow, flow_json: FlowJson | None, validate: Validate
) -> Conversation[CreatedFlow]:
    """Read and check the document, then create the flow with it."""
    policy = policy.starting_now()
    if flow_json is None:
        return (yield from converse(operations.create_flow(api, new), policy))
    document = yield from read_document(flow_json, validate, "flow_json")
    operation = operations.create_flow(api, replace(new, flow_json=document.content))
    created = yield from converse(operation, policy)
    return replace(created, issues=document.issues) if document.issues else created


def create_flow_template(
    api: Api, policy: CallPolicy, new: NewTemplate, validate: Validate
) -> Conversation[FlowTemplate]:
    """Read and check the documents of the buttons, then create the template with them."""
    policy, buttons = policy.starting_now(), []
    for button in new.buttons:
        made = button
        if button.flow_json is not None:
            document = yield from read_document(button.flow_json, validate, "flow_json")
            made = replace(button, flow_json=document.content)
        buttons.append(made)
    operation = operations.create_flow_template(api, replace(new, buttons=tuple(buttons)))
    return (yield from converse(operation, policy))


def download_media(
    api: Api,
    policy: CallPolicy,
    item: EncryptedMedia | ResponseMedia | Mapping[str, Any],
    path: str | os.PathLike[str],
    *,
    max_bytes: int,
    allowed_hosts: Iterable[str] | None,
) -> Conversation[int]:
    """Download a file, and save it when every check has passed; its size in bytes. The place is looked at first."""
    from ._files import check_target, replace_file  # noqa: PLC0415 - most processes save no file
    from ._media_content import open_media  # noqa: PLC0415

    policy, target = policy.starting_now(), Path(path)
    operation = operations.download_media(api, item, open_media, max_bytes=max_bytes, allowed_hosts=allowed_hosts)
    yield from run_blocking(lambda: check_target(target))
    content = yield from converse(operation, policy)
    yield from run_blocking(lambda: replace_file(target, content))
    return len(content)


def find_flow_by_name(api: Api, policy: CallPolicy, name: str) -> Conversation[Flow | None]:
    """Search page by page, each with its own attempts, until a flow of that name is found that is not deprecated."""
    operations.nonempty_text("name", name)
    policy = policy.starting_now()
    deprecated: Flow | None = None
    following: Operation[Page[Flow]] | None = operations.list_flows(api)
    while following is not None:
        page = yield from converse(following, policy)
        match = operations.best_match(name, page.items)
        if match is not None and match.status != FlowStatus.DEPRECATED:
            return match
        deprecated = deprecated or match
        following = page.following
    return deprecated


def migrate_flows(
    api: Api, policy: CallPolicy, source_waba_id: str, names: Sequence[str] | None
) -> Conversation[Migration]:
    """Send the batches one after the other, each with its own attempts; one result for all."""
    policy, outcomes = policy.starting_now(), []
    for batch in operations.migrate_flows(api, source_waba_id, names):
        outcomes.append((yield from converse(batch, policy)))  # noqa: PERF401 - a comprehension cannot yield
    return operations.merge_migrations(outcomes)


def read_document(source: FlowJson, validate: Validate, argument: str) -> Conversation[FlowJsonUpload]:
    """The document, checked. A mapping is serialised at once, since its owner may change it later."""
    content = yield from _in_thread(
        _may_block(source), lambda: read_flow_json(source, argument=argument, keep_mark=True)
    )
    return (yield from _in_thread(validate != "off", lambda: prepare_upload(content, validate)))


def _may_block(source: FlowJson) -> bool:
    if isinstance(source, (str, bytes)):
        return len(source) > _INLINE_READ_MAX_BYTES
    return not isinstance(source, (Mapping, bytearray))


def _in_thread(blocking: bool, task: Callable[[], T]) -> Conversation[T]:
    return (yield from run_blocking(task)) if blocking else task()
