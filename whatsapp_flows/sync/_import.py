"""
From an account to a `flows.toml` and Flow JSON files, for which a plan of that account has no changes.

A flow's name at Meta may be any text. Its key, which is also the name of its file, has the lowercase ASCII letters and
digits of the name, and underscores, so that it is a TOML key without quotes and a file name on every system.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from .._inert import shaped_like_a_token
from ..client import FlowsClient
from ..errors import ConfigurationError, FlowsError, NotFoundError
from ..flow_json import read_flow_json
from ..models import Flow, FlowStatus
from .account import list_all
from .calls import side_by_side
from .desired import escaped, hint

_MAX_KEY_LENGTH: Final = 60  # characters of a key
_NON_WORD: Final = re.compile(r"[^a-z0-9]+")
_CONTROL: Final = re.compile("[\x7f\ud800-\udfff]")  # JSON does not escape these, TOML or UTF-8 does not allow them
_DIGITS: Final = re.compile("[0-9]+").fullmatch
_SURROGATE: Final = re.compile("[\ud800-\udfff]").search
_RESERVED_NAMES: Final = re.compile(
    r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])"
).fullmatch  # file names that Windows reserves


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFlow:
    """A flow of the account, and its future file; `problem` says why there is none."""

    key: str
    flow: Flow
    file: Path
    content: bytes = field(default=b"", repr=False)
    problem: str = ""
    error: FlowsError | None = None


def list_importable(client: FlowsClient, wanted: Collection[str], config: Path) -> tuple[ImportedFlow, ...]:
    """
    The account's flows, each with a key and a file beside `config`, sorted by name.

    Meta documents no order, and repeated imports should give the same file. `wanted` are names or keys; empty for all
    flows that are not deprecated. Raises `ConfigurationError` for an unknown name, and what the listing raises.
    """
    return keyed((listed.flow for listed in list_all(client)), wanted, config)


def keyed(flows: Iterable[Flow], wanted: Collection[str], config: Path) -> tuple[ImportedFlow, ...]:
    """The same for flows that were listed. One that a flows.toml cannot hold has a `problem`."""
    listed = {flow.id: flow for flow in flows}  # pages may shift and list a flow twice
    taken: set[str] = set()
    found = []
    for flow in sorted(listed.values(), key=lambda flow: (flow.name, flow.status == FlowStatus.DEPRECATED, flow.id)):
        key = key_for(flow, taken)
        taken.add(key)
        found.append(ImportedFlow(key=key, flow=flow, file=config.parent / f"{key}.json", problem=_unwritable(flow)))
    known = {name for each in found for name in (each.key, each.flow.name)}
    for name in wanted:
        if name not in known:
            raise ConfigurationError(f"the account has no flow {name!r}{hint(name, known)}")
    chosen = (
        each
        for each in found
        if ({each.key, each.flow.name} & set(wanted) if wanted else each.flow.status != FlowStatus.DEPRECATED)
    )
    return tuple(_one_of_each_name(chosen))


def _one_of_each_name(found: Iterable[ImportedFlow]) -> Iterator[ImportedFlow]:
    """A flows.toml has one flow of each name: the first, so one that is not deprecated if there is one."""
    names: set[str] = set()
    for each in found:
        doubled = each.flow.name in names and not each.problem
        yield replace(each, problem="another flow of the account has its name") if doubled else each
        names.add(each.flow.name)


def _unwritable(flow: Flow) -> str:
    """Why a flows.toml with this flow could not be written or read; empty if it could."""
    texts = {"name": flow.name, "endpoint": flow.endpoint_uri or "", "categories": " ".join(flow.categories)}
    for what, text in texts.items():
        if _SURROGATE(text):
            return f"its {what} contains a lone surrogate (half a character), which TOML cannot hold"
        if shaped_like_a_token(text):
            return f"its {what} looks like an access token"
    return "" if flow.name.strip() else "it has no name"


def key_for(flow: Flow, taken: Collection[str]) -> str:
    """
    A key for a flow that is not in `taken`.

    >>> key_for(Flow(id="7", name="Solar Installation (Réunion)"), set())
    'solar_installation_reunion'
    """
    plain = unicodedata.normalize("NFKD", flow.name).encode("ascii", "ignore").decode().lower()
    key = (
        _NON_WORD.sub("_", plain).strip("_")[:_MAX_KEY_LENGTH].rstrip("_")
        or f"flow_{_NON_WORD.sub('_', flow.id.lower())}"
    )
    key = f"{key}_flow" if _RESERVED_NAMES(key) else key
    number, first = 1, key
    while key in taken:
        number += 1
        key = f"{first}_{number}"
    return key


def download_flows(client: FlowsClient, found: Sequence[ImportedFlow], *, jobs: int = 8) -> Iterator[ImportedFlow]:
    """The flows with the content of their files, in their order. One that fails has a `problem`, and stops no other."""

    def one(stoppable: FlowsClient, each: ImportedFlow) -> ImportedFlow:
        if each.problem:
            return each
        link = next((asset for asset in each.flow.assets if asset.asset_type == "FLOW_JSON"), None)
        try:
            stored = stoppable.download_flow_json(each.flow.id, asset=link)
            return replace(each, content=file_for(stored))
        except NotFoundError:
            return replace(each, problem="it has no Flow JSON")
        except ConfigurationError as refusal:
            return replace(each, problem=f"its Flow JSON cannot be written: {refusal.message.rstrip('.')}")
        except FlowsError as error:
            return replace(each, problem=str(error), error=error)

    return side_by_side(client, lambda stoppable: partial(one, stoppable), found, jobs=jobs)


def file_for(stored: bytes) -> bytes:
    """A Flow JSON as a file: indented, with `{{` escaped. Raises `ConfigurationError` if it is not a Flow JSON."""
    document = json.loads(read_flow_json(stored, argument="it"))
    try:
        text = json.dumps(escaped(document), indent=2, ensure_ascii=False)
    except RecursionError:
        raise ConfigurationError("it is nested too deeply") from None
    return f"{_escapes(text)}\n".encode()


def render_config(found: Iterable[ImportedFlow], *, account_id: str, env: str | None = None) -> bytes:
    """The text of the `flows.toml`; with `env`, the account is that of `[env.NAME]`."""
    account = f"waba_id = {_string(account_id)}"
    lines = [*([] if env else [account, ""])]
    for each in found:
        flow = each.flow
        categories = ", ".join(_string(text) for text in flow.categories if text.strip())
        endpoint, application = (flow.endpoint_uri or "").strip(), flow.application_id or ""
        lines += [
            f"[flows.{each.key}]",
            f"file = {_string(each.file.name)}",
            f"name = {_string(flow.name)}",
            f"categories = [{categories or _string('OTHER')}]",
            *([f"endpoint = {_string(endpoint)}"] if endpoint else []),
            *([f"application = {_string(application)}"] if endpoint and _DIGITS(application) else []),
            *(["publish = true"] if flow.status not in {FlowStatus.DRAFT, FlowStatus.DEPRECATED} else []),
            "",
        ]
    if env:
        lines += [f"[env.{env}]", account, ""]
    return "\n".join(lines).encode()


def _string(text: str) -> str:
    """A TOML basic string: a JSON string, with DEL escaped."""
    return _escapes(json.dumps(text, ensure_ascii=False))


def _escapes(text: str) -> str:
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
