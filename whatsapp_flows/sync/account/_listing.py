"""
Reading flows from Meta, with as many fields as it reports.

Meta documents neither field expansions nor page sizes for the listing ("Flows API"), and a token may have no access to
an application. A refused request is repeated with fewer fields, and each flow comes with the names of those missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ...client import FlowsClient
from ...errors import FlowsError, InvalidRequestError, NotFoundError, PermissionDeniedError
from ...models import Flow

_PAGE_SIZE: Final = 100
_LARGE_PAGE_SIZE: Final = 200  # several clients use this page size
_DOCUMENTED: Final = "id,name,status,categories,validation_errors"
_BASIC: Final = f"{_DOCUMENTED},endpoint_uri"
_MORE: Final = f"{_BASIC},json_version,data_api_version,updated_at"
_WITH_APPLICATION: Final = f"{_MORE},application{{id}}"
_WITH_ASSETS: Final = f"{_WITH_APPLICATION},assets{{asset_type,download_url}}"

# The fields of a listing and of a node, best first. Source: "Flows API", field table; the changelog of March 2024
# for `updated_at`.
FIELDS: Final = (_WITH_ASSETS, _WITH_APPLICATION, _MORE, _BASIC, _DOCUMENTED)
LISTING_QUERIES: Final = ((_WITH_ASSETS, _LARGE_PAGE_SIZE), *((fields, _PAGE_SIZE) for fields in FIELDS[1:]))

_TOO_MUCH_DATA: Final = 1  # Graph's "Please reduce the amount of data you're asking for" has this code, among others


class ListedFlow(NamedTuple):
    """A flow, and those of "categories", "endpoint_uri" and "application_id" that Meta did not report."""

    flow: Flow
    unreported: frozenset[str]


def list_all(client: FlowsClient) -> Iterator[ListedFlow]:
    """
    The account's flows, in pages of up to two hundred; raises what the listing raises.

    A flow may come twice: pages may shift, and a listing may begin again with fewer fields.
    """
    for fields, flows in listings(client, LISTING_QUERIES):
        yield from (ListedFlow(flow, _unreported(flow, fields)) for flow in flows)


def listings(
    client: FlowsClient, pages: Iterable[tuple[str, int]] = LISTING_QUERIES
) -> Iterator[tuple[str, Iterator[Flow]]]:
    """
    The fields and flows of each query in `pages`, until one has been read to its end.

    Raises the error of the last query, and any other that is not about the fields or the page size.
    """
    queries = list(pages)
    for number, (fields, size) in enumerate(queries, 1):
        reader = _PageReader(client.list_flows(fields=fields, page_size=size), last=number == len(queries))
        yield fields, reader
        if not reader.refused:
            return


class _PageReader:
    """The flows of one query. They end where Meta refuses the fields, unless it is the `last` query."""

    def __init__(self, flows: Iterator[Flow], *, last: bool) -> None:
        self.refused = False
        self._flows, self._last = flows, last

    def __iter__(self) -> _PageReader:
        return self

    def __next__(self) -> Flow:
        try:
            return next(self._flows)
        except FlowsError as refusal:
            if self._last or not is_about_fields(refusal):
                raise
            self.refused = True
            raise StopIteration from None


class NodeReader:
    """
    Reads flows one by one, with as many fields as Meta reports; threads may share it.

    Fields that Meta has refused once are not requested again: a token without access to one application has none.
    """

    def __init__(self, client: FlowsClient) -> None:
        self._client = client
        self._first = 0

    def requests(self, name: str) -> bool:
        """Whether a field, as `ListedFlow.unreported` names it, is requested."""
        return name.removesuffix("_id") in FIELDS[self._first]

    def read(self, flow_id: str) -> ListedFlow:
        """One flow; raises what the call raises."""
        number = self._first
        while True:
            fields = FIELDS[number]
            try:
                flow = self._client.get_flow(flow_id, fields=fields)
            except FlowsError as refusal:
                if number == len(FIELDS) - 1 or not is_about_fields(refusal):
                    raise
                number += 1
                continue
            self._first = max(self._first, number)
            return ListedFlow(flow, _unreported(flow, fields))


def is_about_fields(refusal: FlowsError) -> bool:
    """Whether fewer fields may succeed: the error is about a field, a permission, or too much data."""
    if isinstance(refusal, NotFoundError):
        return False
    return isinstance(refusal, InvalidRequestError | PermissionDeniedError) or refusal.code == _TOO_MUCH_DATA


def _unreported(flow: Flow, fields: str) -> frozenset[str]:
    """
    The fields that Meta did not report. A flow without an endpoint has no such key; a missing application is unknown.

    Source: "Flows API": every flow has categories, and the application that created it.
    """
    reported = {
        "categories": "categories" in flow.raw,
        "endpoint_uri": "endpoint_uri" in fields,
        "application_id": flow.application_id is not None,
    }
    return frozenset(name for name, known in reported.items() if not known)
