"""
Reading flows from Meta with as many fields as it gives.

Meta documents neither the expansions nor a page size for the list ("Flows API"), and an application may be hidden from
a token. What is refused is asked for again with less, and each flow comes with the fields that Meta did not tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ...client import FlowsClient
from ...errors import FlowsError, InvalidRequestError, NotFoundError, PermissionDeniedError
from ...models import Flow

_PAGE_SIZE: Final = 100
_LARGE_PAGE_SIZE: Final = 200  # several clients list so many at once
_DOCUMENTED: Final = "id,name,status,categories,validation_errors"
_BASIC: Final = f"{_DOCUMENTED},endpoint_uri"
_MORE: Final = f"{_BASIC},json_version,data_api_version,updated_at"
_WITH_APPLICATION: Final = f"{_MORE},application{{id}}"
_WITH_ASSETS: Final = f"{_WITH_APPLICATION},assets{{asset_type,download_url}}"

# What a listing and a node are asked for, best first. Source: "Flows API", field table; the changelog of March 2024
# for `updated_at`.
FIELDS: Final = (_WITH_ASSETS, _WITH_APPLICATION, _MORE, _BASIC, _DOCUMENTED)
PAGES: Final = ((_WITH_ASSETS, _LARGE_PAGE_SIZE), *((fields, _PAGE_SIZE) for fields in FIELDS[1:]))

_TOO_MUCH: Final = 1  # Graph's "Please reduce the amount of data you're asking for" has this code, among others


class ListedFlow(NamedTuple):
    """A flow, and which of "categories", "endpoint_uri" and "application_id" Meta did not tell of it."""

    flow: Flow
    untold: frozenset[str]


def list_all(client: FlowsClient) -> Iterator[ListedFlow]:
    """
    The account's flows, a page of up to two hundred at a time; raises what the listing raises.

    A page that shifts, or a listing that is begun again with fewer fields, may bring a flow twice.
    """
    for fields, flows in listings(client, PAGES):
        yield from (ListedFlow(flow, _untold(flow, fields)) for flow in flows)


def listings(client: FlowsClient, pages: Iterable[tuple[str, int]] = PAGES) -> Iterator[tuple[str, Iterator[Flow]]]:
    """
    For each way of asking the flows, until one has been read to its end.

    The error of the last way comes out, and any other that is not about what was asked for.
    """
    ways = list(pages)
    for number, (fields, size) in enumerate(ways, 1):
        reading = _Reading(client.list_flows(fields=fields, page_size=size), last=number == len(ways))
        yield fields, reading
        if not reading.refused:
            return


class _Reading:
    """Flows that end where Meta refuses to go on in this way, unless it is the last one."""

    def __init__(self, flows: Iterator[Flow], *, last: bool) -> None:
        self.refused = False
        self._flows, self._last = flows, last

    def __iter__(self) -> _Reading:
        return self

    def __next__(self) -> Flow:
        try:
            return next(self._flows)
        except FlowsError as refusal:
            if self._last or not about_fields(refusal):
                raise
            self.refused = True
            raise StopIteration from None


class NodeReader:
    """
    Reads flows one by one, with as many fields as Meta gives; threads may share it.

    What Meta has refused once it is not asked for again: a token that may not see an application sees none.
    """

    def __init__(self, client: FlowsClient) -> None:
        self._client = client
        self._first = 0

    def tells(self, name: str) -> bool:
        """Whether a field, as `ListedFlow.untold` names it, is asked for."""
        return name.removesuffix("_id") in FIELDS[self._first]

    def read(self, flow_id: str) -> ListedFlow:
        """One flow; raises what the call raises."""
        number = self._first
        while True:
            fields = FIELDS[number]
            try:
                flow = self._client.get_flow(flow_id, fields=fields)
            except FlowsError as refusal:
                if number == len(FIELDS) - 1 or not about_fields(refusal):
                    raise
                number += 1
                continue
            self._first = max(self._first, number)
            return ListedFlow(flow, _untold(flow, fields))


def about_fields(refusal: FlowsError) -> bool:
    """Whether less might be asked for with success: a field that is not known or not permitted, or too much data."""
    if isinstance(refusal, NotFoundError):
        return False
    return isinstance(refusal, InvalidRequestError | PermissionDeniedError) or refusal.code == _TOO_MUCH


def _untold(flow: Flow, fields: str) -> frozenset[str]:
    """
    What Meta did not tell. A flow without an endpoint has no such key, one without an application is not known.

    Source: "Flows API": every flow has categories, and the application that it was made by.
    """
    told = {
        "categories": "categories" in flow.raw,
        "endpoint_uri": "endpoint_uri" in fields,
        "application_id": flow.application_id is not None,
    }
    return frozenset(name for name, known in told.items() if not known)
