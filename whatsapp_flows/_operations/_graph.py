"""How the Graph API is asked, and how its answers are read: what every operation has in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from .._classify import unexpected
from .._dataclasses import dataclass, replace
from .._wire import MAX_JSON_BYTES, Operation, Request, Response, Script, short_repr
from ..errors import ConfigurationError, FlowValidationError, UnexpectedResponseError
from ..models import nested, objects, text, validation_issues
from ._arguments import is_web_url, path_id

T = TypeVar("T")
_UNREADABLE: Final = object()

MAX_PAGES: Final = 10_000
"""Pages of one list: a server that always has a fresh cursor would make it endless."""

MAX_ITEMS: Final = 100_000
"""Entries of a list that is returned as a whole: files of a flow, phone numbers, subscribed apps."""

Form = Mapping[str, str | tuple[str, bytes, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Where the API is: `https://graph.facebook.com`, `v25.0`, and the account that account-wide calls are for."""

    base_url: str
    version: str
    waba_id: str | None = None

    def __post_init__(self) -> None:
        if (
            not isinstance(self.base_url, str)
            or not is_web_url(self.base_url, "http", "https")
            or re.search(r"[?#\s]", self.base_url)
        ):
            raise ConfigurationError(
                "base_url must be an http(s) URL without a query, like https://graph.facebook.com."
            )
        if "@" in urlsplit(self.base_url).netloc:
            raise ConfigurationError("base_url must not hold credentials.")
        if not isinstance(self.version, str) or not re.fullmatch(r"v[0-9]+\.[0-9]+", self.version):
            raise ConfigurationError(f"api_version must look like v25.0, not {short_repr(self.version)}.")
        if self.waba_id is not None:
            path_id("waba_id", self.waba_id)

    def account(self) -> str:
        """The account's id; `ConfigurationError` when the client was given none."""
        if self.waba_id is None:
            raise ConfigurationError(
                "this call needs the account: FlowsClient(token, waba_id=...) or WHATSAPP_FLOWS_WABA_ID."
            )
        return self.waba_id

    def get(
        self, operation: str, path: str, query: Mapping[str, str] | None = None, *, flow_id: str | None = None
    ) -> Request:
        """A read."""
        asked = f"?{urlencode(query, quote_via=quote, safe=',()')}" if query else ""
        return Request(method="GET", url=self._url(path + asked), operation=operation, flow_id=flow_id)

    def post(self, operation: str, path: str, form: Form | None = None, *, flow_id: str | None = None) -> Request:
        """A write, as multipart/form-data: the one encoding that Meta's OpenAPI file gives for all of them."""
        body, content_type = _multipart(form) if form else (None, None)
        return Request(method="POST", url=self._url(path), operation=operation, flow_id=flow_id, body=body,
                       content_type=content_type)  # fmt: skip

    def delete(self, operation: str, path: str, *, flow_id: str | None = None) -> Request:
        """A deletion."""
        return Request(method="DELETE", url=self._url(path), operation=operation, flow_id=flow_id)

    def _url(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}/{self.version}/{path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list, and the operation that asks for the next, if there is more."""

    items: tuple[T, ...]
    following: Operation[Page[T]] | None


def _multipart(form: Form) -> tuple[bytes, str]:
    """
    The body and its content type, joined once for all attempts.

    As urllib3 writes it, at a tenth of the time, because the names are ours and need no quoting; a test compares the
    two. The boundary is chosen so that no part contains it, and is the same for the same form.
    """
    parts = [(name, ("", part.encode(), "") if isinstance(part, str) else part) for name, part in form.items()]
    boundary = b"whatsapp-flows-sdk-boundary"
    while any(boundary in content for _, (_, content, _) in parts):
        boundary += b"-x"
    pieces = []
    for name, (filename, content, content_type) in parts:
        head = f'Content-Disposition: form-data; name="{name}"'
        if filename:
            head = f'{head}; filename="{filename}"\r\nContent-Type: {content_type}'
        pieces += [b"--", boundary, b"\r\n", head.encode(), b"\r\n\r\n", content, b"\r\n"]
    return b"".join([*pieces, b"--", boundary, b"--\r\n"]), f"multipart/form-data; boundary={boundary.decode()}"


def ask(request: Request, parse: Callable[[Mapping[str, Any]], T]) -> Script[T]:
    """One question and what its answer means."""
    answer = yield request
    return parse(read_object(answer, request))


def node(
    api: Api, operation: str, flow_id: str, fields: str, parse: Callable[[Mapping[str, Any]], T], *, part: str = ""
) -> Operation[T]:
    """A read of some fields of the flow's node; with `part`, of that one field, which has to be there."""
    request = api.get(operation, path_id("flow_id", flow_id), {"fields": fields}, flow_id=flow_id)

    def read(found: Mapping[str, Any]) -> T:
        if part and not nested(found, part):
            raise unexpected(f"Meta's answer has no {part}.", request)
        return parse(nested(found, part) if part else found)

    return Operation(
        name=operation, script=lambda _: ask(request, read), flow_id=flow_id, subject=f"flow ID: {flow_id}"
    )


def done(request: Request, subject: str) -> Operation[bool]:
    """A write that answers `{"success": true}` and nothing else."""

    def script(_: int) -> Script[bool]:
        answer = yield request
        check_success(read_object(answer, request), request, answer)
        return True

    return Operation(name=request.operation, script=script, flow_id=request.flow_id, subject=subject)


def page_of(
    request: Request, parse: Callable[[Mapping[str, Any]], T], subject: str, *, seen: tuple[str, ...] = ()
) -> Operation[Page[T]]:
    """One page. The next is asked for by its cursor: `paging.next` holds the token, and is not ours to follow."""
    asked = request
    if seen:
        asked = replace(
            request, url=f"{request.url}{'&' if '?' in request.url else '?'}after={quote(seen[-1], safe='')}"
        )

    def read(found: Mapping[str, Any]) -> Page[T]:
        if not isinstance(found.get("data"), list):
            raise unexpected("Meta's answer is not a list.", request)
        after = _cursor(found)
        if after == "":
            raise unexpected("Meta's list goes on, but has no cursor.", request)  # never taken for its end
        if after in seen:
            raise unexpected("Meta's paging goes in a circle.", request)
        if after and len(seen) + 1 >= MAX_PAGES:
            raise unexpected(f"Meta's list has more than {MAX_PAGES} pages.", request)
        following = page_of(request, parse, subject, seen=(*seen, after)) if after else None
        return Page(items=tuple(parse(item) for item in objects(found, "data")), following=following)

    return Operation(
        name=request.operation, script=lambda _: ask(asked, read), flow_id=request.flow_id, subject=subject
    )


def _cursor(found: Mapping[str, Any]) -> str | None:
    """Where the next page begins. The end of the list is `next` being absent ("Graph API", Paginated Results)."""
    paging = nested(found, "paging")
    following = text(paging, "next")
    if not following:
        return None
    try:
        given = parse_qs(urlsplit(following).query).get("after", [None])[0]
    except ValueError:
        given = None
    return text(nested(paging, "cursors"), "after") or given or ""


def everything(first: Operation[Page[T]]) -> Script[tuple[T, ...]]:
    """The items of all pages, in one script."""
    items: list[T] = []
    following: Operation[Page[T]] | None = first
    while following is not None:
        page = yield from following.script(1)
        items.extend(page.items)
        if len(items) > MAX_ITEMS:
            raise UnexpectedResponseError(f"Meta's list has more than {MAX_ITEMS} entries.")
        following = page.following
    return tuple(items)


def whole_list(request: Request, parse: Callable[[Mapping[str, Any]], T], subject: str) -> Operation[tuple[T, ...]]:
    """A list that is short enough to be one call, whatever its number of pages."""
    first = page_of(request, parse, subject)
    return Operation(
        name=request.operation, script=lambda _: everything(first), flow_id=request.flow_id, subject=subject
    )


def read_object(answer: Response, request: Request) -> Mapping[str, Any]:
    """The JSON object of a 2xx answer."""
    if not answer.body.strip():
        raise unexpected("Meta's answer is empty.", request, answer)
    if len(answer.body) > MAX_JSON_BYTES:
        raise unexpected(f"Meta's answer has more than {MAX_JSON_BYTES} bytes of JSON.", request, answer)
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        found = _UNREADABLE  # and raised below, where no exception holds on to the body
    if isinstance(found, dict):
        return found
    what = "JSON" if found is _UNREADABLE else "a JSON object"
    raise unexpected(f"Meta's answer is not {what}.", request, answer)


def check_success(found: Mapping[str, Any], request: Request, answer: Response, *, default: bool = False) -> None:
    """Only `success: true` is a success; a refused Flow JSON says what is wrong with it."""
    if found.get("success", default) is True:
        return
    if issues := validation_issues(found):
        details = unexpected("Meta refused the Flow JSON.", request, answer).details
        raise FlowValidationError(replace(details, advice=FlowValidationError.default_advice), issues)
    raise unexpected("Meta's answer does not say that it was done.", request, answer)
