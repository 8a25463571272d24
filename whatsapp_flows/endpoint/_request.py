"""`FlowRequest`: a decrypted request, and the answers that a handler makes of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from json import JSONDecoder
from typing import TYPE_CHECKING, Any, Final

from .._dataclasses import dataclass, field
from .._media_values import EncryptedMedia, encrypted_media
from ..errors import ConfigurationError
from ._answers import Close, Finish, Show

if TYPE_CHECKING:
    from typing import Generic

    from typing_extensions import TypeVar

    D_co = TypeVar("D_co", bound=Mapping[str, Any], default=Mapping[str, Any], covariant=True)
else:
    D_co = Mapping[str, Any]

    class _Unparametrized:
        """When it runs, `FlowRequest[ChooseData]` is `FlowRequest`: a frozen value takes no note of its parameters."""

        __slots__ = ()

        def __class_getitem__(cls, parameters: object) -> type:
            return cls

    Generic = {D_co: _Unparametrized}  # so that `Generic[D_co]` is that class


_ERROR_KEYS: Final = frozenset({"error", "error_key", "error_message"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRequest(Generic[D_co]):
    """
    What the client of a Flow asks, decrypted.

    `FlowRequest[ChooseData]` says which keys its `data` has, for type checkers: see `builder.answers`. Nothing is
    checked when a request arrives.

    `action` is `INIT`, `data_exchange` or `BACK`; in an error notification also another one, such as `navigate`.
    `screen` is the screen that was submitted, or for `BACK` the one that was left; for `INIT` it is usually empty.
    `data` holds what the user has entered, and `flow_token` is the token of the message: None where a client leaves it
    out, and `unused` where the message had none. `version` is that of the data API (`3.0`). `token_signature` is the
    JWT of the token (`flow_token_signature`, from Flow JSON 7.3 and data API 4.0 on). `raw` is the whole plaintext.

    The repr shows the action, the screen and the version alone. A person who tries again sends a new request with the
    same content: a handler should be idempotent for one token, screen and data.
    """

    action: str
    screen: str = ""
    data: D_co = field(default_factory=dict, repr=False)  # type: ignore[assignment]
    flow_token: str | None = field(default=None, repr=False)
    version: str = ""
    token_signature: str | None = field(default=None, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def show(self, screen: str, /, **data: Any) -> Show:
        """Show a screen, with its data."""
        return Show(screen, data)

    def same_screen(self, *, error: str | None = None, errors: Mapping[str, str] | None = None, **data: Any) -> Show:
        """
        Show the screen of this request again: with a text in a snackbar, texts for single fields, changed data.

        Raises `ConfigurationError` for a request that comes from no screen, such as `INIT`.
        """
        if not self.screen:
            raise ConfigurationError("this request comes from no screen: use show(screen, ...).")
        return Show(self.screen, data, error, errors)

    def finish(self, **params: Any) -> Finish:
        """End the Flow; the client sends a message with these parameters and the flow token."""
        return Finish(params)

    def close(self) -> Close:
        """End the Flow without a message."""
        return Close()

    def media(self, name: str) -> tuple[EncryptedMedia, ...]:
        """
        The files of a PhotoPicker or DocumentPicker, by the name under which the screen sends them; () if none.

        Raises `MediaRefusedError` for a value that is not what Meta sends.
        """
        return encrypted_media(self.data.get(name))

    @property
    def error_key(self) -> str | None:
        """
        What the client could not use of the last answer, such as `payload-schema-error`; None if this is not about it.

        A request is such a notification if its `data` has a key `error` (or `error_key`, an older name), which looks
        like those of Meta (letters, digits, `_` and `-`, or empty), and nothing beyond it but `error_message` (assumed:
        a form may have a field `error`, in which a user writes a sentence).
        """
        data = self.data
        if not data or not data.keys() <= _ERROR_KEYS:
            return None
        found = data.get("error")
        found = data.get("error_key") if found is None else found
        return found if isinstance(found, str) and re.fullmatch(r"[A-Za-z0-9_-]*", found) else None

    @property
    def error_message(self) -> str | None:
        """The client's text about that error. It may quote what was answered."""
        found = self.data.get("error_message") if self.error_key is not None else None
        return found if isinstance(found, str) else None


def read_request(plaintext: bytes) -> FlowRequest | None:
    """
    The request that a plaintext stands for; None unless it is a JSON object in UTF-8.

    A field of another type than Meta's counts as missing, so that an unknown client is answered rather than refused.
    `version` may be any JSON scalar (observed in error notifications).
    """
    try:
        document = _decode(plaintext.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    texts = {name: value for name, value in document.items() if isinstance(value, str)}
    data, version = document.get("data"), document.get("version")
    return FlowRequest(
        action=texts.get("action", ""),
        screen=texts.get("screen", ""),
        data=data if isinstance(data, dict) else {},
        flow_token=texts.get("flow_token"),
        version=str(version) if isinstance(version, (str, int, float)) else "",
        token_signature=texts.get("flow_token_signature"),
        raw=document,
    )


def _refuse(constant: str) -> float:
    raise ValueError(f"JSON has no {constant}")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("the number is too large")  # an answer that repeats it could not be written
    return number


_decode: Final = JSONDecoder(parse_constant=_refuse, parse_float=_finite).decode
