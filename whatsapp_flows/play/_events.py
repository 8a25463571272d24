"""
What a user does, and what the player asks of its surroundings.

An event is handed to `advance`; it is plain data, compares by value and pickles, so that a session can be replayed. A
`path` is the JSON pointer of a component, such as `/screens/0/layout/children/2`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from .._dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fill:
    """
    Set the value of a text field or a date picker.

    `value` is a text; for a CalendarPicker in range mode a mapping with `start-date` and `end-date`. The field has the
    focus until a `Blur`, or until another component is used: it shows no error while it has.
    """

    path: str
    value: str | Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Blur:
    """Leave a field: from now on it shows its error."""

    path: str


@dataclass(frozen=True, slots=True)
class Select:
    """
    Select or deselect an option of a CheckboxGroup, ChipsSelector, RadioButtonsGroup or Dropdown by its id, or an OptIn
    (`option` is then empty).
    """

    path: str
    option: str = ""
    selected: bool = True


@dataclass(frozen=True, slots=True)
class Tap:
    """Tap a Footer, an EmbeddedLink, the "Read more" of an OptIn, or an item of a NavigationList by its id."""

    path: str
    item: str = ""


@dataclass(frozen=True, slots=True)
class Back:
    """Go back. On the first screen, this closes the Flow."""


UploadState = Literal["done", "running", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """
    A file in a PhotoPicker or a DocumentPicker. `size` in bytes. A running or a failed upload blocks the Footer.

    `sha256` is that of its content, in base64, as it stands in a message; without one, it is made up.
    """

    name: str
    mime_type: str = "application/octet-stream"
    size: int = 0
    state: UploadState = "done"
    sha256: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Upload:
    """Set the files of a PhotoPicker or a DocumentPicker: all that it holds from now on."""

    path: str
    files: tuple[UploadedFile, ...]


Failure = Literal["", "not-decrypted", "token-refused", "timeout", "unreachable", "status", "unreadable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    What the endpoint answered to the request with this number.

    `content` is the decrypted JSON, whatever it is: the player checks it as a client does. With a `failure` there is no
    content to use; `message` is then the text to show, such as the `error_msg` of a 427, and may be empty.
    """

    number: int
    content: Any = field(default=None, repr=False)
    failure: Failure = ""
    message: str = ""


Event = Fill | Blur | Tap | Select | Back | Upload | Answer


# -- effects


@dataclass(frozen=True, slots=True, kw_only=True)
class AskEndpoint:
    """
    A request to the endpoint: hand its outcome to `advance` as an `Answer` with the same `number`.

    `action` is `INIT`, `data_exchange` or `BACK`. `path` is the component that caused it, empty for INIT and BACK.
    `screen` is empty for INIT.
    """

    number: int
    action: str
    screen: str
    data: Mapping[str, Any] = field(repr=False)
    flow_token: str = field(repr=False)
    path: str = ""


@dataclass(frozen=True, slots=True)
class OpenUrl:
    """The user wants to see a web page. The URL is not checked: it may be of any scheme."""

    url: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """
    The Flow has come to its end.

    `payload` is the `response_json` of the message that the user's client sends. `sent` is False where the Flow closes
    without a message: an endpoint's SUCCESS without `params` (observed), or the user has gone back from the first
    screen.
    """

    payload: Mapping[str, Any] = field(repr=False)
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Snackbar:
    """A text that is shown at the bottom for some seconds: 4.5 up to 45 characters, otherwise 7 (observed)."""

    text: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """
    What a client would refuse: the Flow cannot go on here, or not as written.

    `key` is the error key that a client reports to the endpoint (`invalid-screen-transition`, `payload-schema-error`,
    `components-validation-error`, `timeout_error`, ...), or one of ours: `no-such-screen`, `unplayable`. `path` is the
    JSON pointer of the place: into the answer (`/data/dates`) for what an endpoint has answered, into the document
    otherwise. `closed`: the button of the message is disabled for good (427).
    """

    key: str
    message: str
    path: str = ""
    closed: bool = False


RefusalKind = Literal["no-such-field", "not-tappable", "not-offered", "not-now"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """
    The event is impossible on a phone, and changed nothing: there is no such component on the screen, it is hidden or
    disabled, it does not offer the option, or the Flow is loading or over.
    """

    kind: RefusalKind
    message: str
    path: str


Effect = AskEndpoint | OpenUrl | Complete | Snackbar | Broken | Refused
