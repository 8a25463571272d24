"""Requests to the Graph API, and how their responses are read: the parts that all operations share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from .._classify import unexpected
from .._dataclasses import dataclass, replace
from .._fields import nested, objects, text, validation_issues
from .._json import compact_json
from .._wire import MAX_JSON_BYTES, Operation, Request, Response, Script, short_repr
from ..errors import ConfigurationError, FlowValidationError, UnexpectedResponseError
from ._arguments import is_web_url, path_id

T = TypeVar("T")
_UNREADABLE: Final = object()

MAX_PAGES: Final = 10_000
"""Pages of one list: a server that always returns another cursor would make the list endless."""

MAX_ITEMS: Final = 100_000
"""Entries of a list that is returned as a whole: files of a flow, phone numbers, subscribed apps."""

_LOOPBACK: Final[Mapping[str, str]] = {"127.0.0.1": "127.0.0.1", "localhost": "localhost", "::1": "[::1]"}

Form = Mapping[str, str | tuple[str, bytes, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """
    The API's address and version, `https://graph.facebook.com` and `v25.0`, and the account and the phone number that
    sends, if there are any.
    """

    base_url: str
    version: str
    waba_id: str | None = None
    phone_number_id: str | None = None

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
            raise ConfigurationError("base_url must not contain credentials.")
        if not isinstance(self.version, str) or not re.fullmatch(r"v[0-9]+\.[0-9]+", self.version):
            raise ConfigurationError(f"api_version must look like v25.0, not {short_repr(self.version)}.")
        if self.waba_id is not None:
            path_id("waba_id", self.waba_id)
        if self.phone_number_id is not None:
            path_id("phone_number_id", self.phone_number_id)

    def account(self) -> str:
        """The account's id; `ConfigurationError` when the client was given none."""
        if self.waba_id is None:
            raise ConfigurationError(
                "this call needs a waba_id: FlowsClient(token, waba_id=...) or WHATSAPP_FLOWS_WABA_ID."
            )
        return self.waba_id

    def sender(self, phone_number_id: str | None) -> str:
        """The id of the phone number that sends: that of the call, or else the client's."""
        if phone_number_id is not None:
            return path_id("phone_number_id", phone_number_id)
        if self.phone_number_id is None:
            raise ConfigurationError(
                "this call needs a phone_number_id, its own or that of the client: FlowsClient(token, "
                "phone_number_id=...) or WHATSAPP_FLOWS_PHONE_NUMBER_ID."
            )
        return self.phone_number_id

    @property
    def local_origins(self) -> tuple[str, ...]:
        """Where an emulator on this machine serves files, under each name of the machine; else nothing."""
        parts = urlsplit(self.base_url)
        if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
            return ()
        return tuple(f"http://{_LOOPBACK[name]}{'' if parts.port is None else f':{parts.port}'}" for name in _LOOPBACK)

    def get(
        self, operation: str, path: str, query: Mapping[str, str] | None = None, *, flow_id: str | None = None
    ) -> Request:
        """A GET request."""
        asked = f"?{urlencode(query, quote_via=quote, safe=',()')}" if query else ""
        return Request(method="GET", url=self._url(path + asked), operation=operation, flow_id=flow_id)

    def post(self, operation: str, path: str, form: Form | None = None, *, flow_id: str | None = None) -> Request:
        """A POST request, as multipart/form-data: the encoding that Meta's OpenAPI file has for all of them."""
        body, content_type = _multipart(form) if form else (None, None)
        return Request(method="POST", url=self._url(path), operation=operation, flow_id=flow_id, body=body,
                       content_type=content_type)  # fmt: skip

    def post_json(
        self,
        operation: str,
        path: str,
        content: Mapping[str, object],
        *,
        flow_id: str | None = None,
        private: Callable[[], Sequence[str]] | None = None,
    ) -> Request:
        """A POST request with a JSON body, as for messages and templates; `private` as in `Request`."""
        return Request(
            method="POST",
            url=self._url(path),
            operation=operation,
            flow_id=flow_id,
            body=compact_json(content, ascii_only=False, allow_nan=False).encode(),
            content_type="application/json",
            private=private,
        )

    def delete(self, operation: str, path: str, *, flow_id: str | None = None) -> Request:
        """A DELETE request."""
        return Request(method="DELETE", url=self._url(path), operation=operation, flow_id=flow_id)

    def _url(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}/{self.version}/{path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list, and the operation for the next page; None after the last."""

    items: tuple[T, ...]
    following: Operation[Page[T]] | None


def _multipart(form: Form) -> tuple[bytes, str]:
    """
    The body and its content type, joined once for all attempts.

    The same bytes as urllib3 writes, in a tenth of the time, because our field names need no quoting; a test compares
    the two. No part contains the boundary, and the same form always gets the same one.
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


def send_and_parse(request: Request, parse: Callable[[Mapping[str, Any]], T]) -> Script[T]:
    """Send one request and parse the JSON object of its response."""
    answer = yield request
    return parse(read_object(answer, request))


def read_node(
    api: Api, operation: str, flow_id: str, fields: str, parse: Callable[[Mapping[str, Any]], T], *, part: str = ""
) -> Operation[T]:
    """Read fields of the flow's node; with `part`, parse that one field, which the response must have."""
    request = api.get(operation, path_id("flow_id", flow_id), {"fields": fields}, flow_id=flow_id)

    def read(found: Mapping[str, Any]) -> T:
        if part and not nested(found, part):
            raise unexpected(f"Meta's answer has no {part}.", request)
        return parse(nested(found, part) if part else found)

    return Operation(
        name=operation, script=lambda _: send_and_parse(request, read), flow_id=flow_id, subject=f"flow ID: {flow_id}"
    )


def write(request: Request, subject: str) -> Operation[bool]:
    """A write whose response is `{"success": true}` and nothing else."""

    def script(_: int) -> Script[bool]:
        answer = yield request
        check_success(read_object(answer, request), request, answer)
        return True

    return Operation(name=request.operation, script=script, flow_id=request.flow_id, subject=subject)


def list_page(
    request: Request, parse: Callable[[Mapping[str, Any]], T], subject: str, *, seen: tuple[str, ...] = ()
) -> Operation[Page[T]]:
    """One page. The next is requested by its cursor: the URL in `paging.next` contains the token, and is not used."""
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
            raise unexpected("Meta's list continues, but has no cursor.", request)  # not the end of the list
        if after in seen:
            raise unexpected("Meta's paging returned the same cursor twice.", request)
        if after and len(seen) + 1 >= MAX_PAGES:
            raise unexpected(f"Meta's list has more than {MAX_PAGES} pages.", request)
        following = list_page(request, parse, subject, seen=(*seen, after)) if after else None
        return Page(items=tuple(parse(item) for item in objects(found, "data")), following=following)

    return Operation(
        name=request.operation, script=lambda _: send_and_parse(asked, read), flow_id=request.flow_id, subject=subject
    )


def _cursor(found: Mapping[str, Any]) -> str | None:
    """The cursor of the next page. A list ends where `next` is absent ("Graph API", Paginated Results)."""
    paging = nested(found, "paging")
    following = text(paging, "next")
    if not following:
        return None
    try:
        given = parse_qs(urlsplit(following).query).get("after", [None])[0]
    except ValueError:
        given = None
    return text(nested(paging, "cursors"), "after") or given or ""


def all_items(first: Operation[Page[T]]) -> Script[tuple[T, ...]]:
    """The items of all pages."""
    items: list[T] = []
    following: Operation[Page[T]] | None = first
    while following is not None:
        page = yield from following.script(1)
        items.extend(page.items)
        if len(items) > MAX_ITEMS:
            raise UnexpectedResponseError(f"Meta's list has more than {MAX_ITEMS} entries.")
        following = page.following
    return tuple(items)


def read_list(request: Request, parse: Callable[[Mapping[str, Any]], T], subject: str) -> Operation[tuple[T, ...]]:
    """A list that is returned as a whole, with all of its pages in one call."""
    first = list_page(request, parse, subject)
    return Operation(
        name=request.operation, script=lambda _: all_items(first), flow_id=request.flow_id, subject=subject
    )


def read_object(answer: Response, request: Request) -> Mapping[str, Any]:
    """The JSON object of a successful response."""
    if not answer.body.strip():
        raise unexpected("Meta's answer is empty.", request, answer)
    if len(answer.body) > MAX_JSON_BYTES:
        raise unexpected(f"Meta's answer has more than {MAX_JSON_BYTES} bytes of JSON.", request, answer)
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        found = _UNREADABLE  # raised below, outside `except`, so that no exception keeps the body alive
    if isinstance(found, dict):
        return found
    what = "JSON" if found is _UNREADABLE else "a JSON object"
    raise unexpected(f"Meta's answer is not {what}.", request, answer)


def check_success(found: Mapping[str, Any], request: Request, answer: Response, *, default: bool = False) -> None:
    """Raise unless the response has `success: true`; a refused Flow JSON raises its validation errors."""
    if found.get("success", default) is True:
        return
    if issues := validation_issues(found):
        details = unexpected("Meta refused the Flow JSON.", request, answer).details
        raise FlowValidationError(replace(details, advice=FlowValidationError.default_advice), issues)
    raise unexpected("Meta's answer has no success: true.", request, answer)
