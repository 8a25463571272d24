"""What both players offer: the moves of a user, and what is to be seen. A driver carries out the moves."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from .. import signatures
from .._flow_facts import FlowSource
from .._wire import as_secrets
from ..errors import ConfigurationError
from ..signatures import AppSecrets
from ._as_test import TOKEN, as_test
from ._errors import PlayError
from ._events import Complete, Event
from ._exchange import TIME_LIMIT, VERSION, Endpoint, Line, LineOptions, PublicKey, line_to
from ._flow import PlayedFlow, read_flow
from ._locate import field_of, listed_of, options_of, shown_errors
from ._playing import Moves, PlayedRequest, Playing
from ._session import Session
from ._summary import SummaryRow, summary
from ._uploads import Attachment, UploadFunction, Uploads
from ._values import Node, View
from ._webhook_body import SENT, USER, WebhookBody, completion_body

if TYPE_CHECKING:
    from typing_extensions import Self


class BasePlayer(ABC):
    """The options, the moves and the state of `FlowPlayer` and `AsyncFlowPlayer`: see there."""

    def __init__(
        self,
        flow: FlowSource | PlayedFlow,
        *,
        screen: str | None = None,
        data: Mapping[str, Any] | None = None,
        endpoint: Endpoint | None = None,
        init: bool | None = None,
        flow_token: str = TOKEN,
        today: date | None = None,
        app_secret: AppSecrets | None = None,
        public_key: PublicKey | None = None,
        path: str = "/",
        interface: str = "auto",
        time_limit: float = TIME_LIMIT,
        upload: UploadFunction | None = None,
        lifespan: bool = False,
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # Rebound, so that no local variable of this frame shows a secret.
        app_secret = cast("AppSecrets | None", as_secrets(app_secret))
        played = read_flow(flow)
        version = played.document.get("data_api_version")
        self._options = LineOptions(
            secrets=None if app_secret is None else signatures.app_secrets(app_secret),
            public_key=public_key,
            path=path,
            interface=interface,
            time_limit=time_limit,
            version=version if isinstance(version, str) else VERSION,
            sleep=sleep,
            clock=clock,
        )
        self._source = _path_of(flow)
        self._line: Line | None = None if endpoint is None else line_to(endpoint, self._options)
        self._uploads = Uploads(upload)
        if init is None:
            opens = self._line is not None and self._line.opens and version is not None
            init = opens and screen is None and data is None
        self._playing = Playing(
            played,
            screen=screen,
            data=data,
            flow_token=flow_token,
            today=today,
            init=init,
            has_endpoint=self._line is not None,
            uploads=self._uploads,
        )

        self._lifespan = lifespan
        self._begin(self._playing.opening())

    @abstractmethod
    def _begin(self, opening: Moves) -> None:
        """Open the Flow, or prepare that."""

    @abstractmethod
    def _do(self, moves: Moves) -> Self:
        """Carry out moves."""

    @property
    def _endpoint(self) -> Line:
        """The endpoint that a call goes to: without one, there are no calls."""
        return cast("Line", self._line)

    def _settled(self) -> Playing:
        """The state, once all moves are carried out."""
        return self._playing

    # -- what a user does

    def fill(self, values: Mapping[str, Any] | None = None, /, **by_name: Any) -> Self:
        """
        Enter values into text fields, text areas and date pickers, by name: `fill(name="Ada", age=36)`.

        A mapping is for names that are no words of Python. A number and a date are entered as text; a CalendarPicker in
        range mode takes `{"start-date": ..., "end-date": ...}`. Each field is left, so that `errors` has its error.
        """
        if values is not None and not isinstance(values, Mapping):
            kind = type(values).__name__
            raise ConfigurationError(f"fill takes values by the names of fields, not a value of type {kind}.")
        return self._do(self._playing.fill({**(values or {}), **by_name}))

    def blur(self, name: str) -> Self:
        """Leave a field without entering anything: from now on it shows its error."""
        return self._do(self._playing.blur(name))

    def choose(self, name: str, *options: str | list[str] | tuple[str, ...]) -> Self:
        """Select options of a Dropdown, RadioButtonsGroup, CheckboxGroup or ChipsSelector, by their ids or titles."""
        return self._do(self._playing.choose(name, options))

    def unchoose(self, name: str, *options: str | list[str] | tuple[str, ...]) -> Self:
        """Deselect options; without any, all that are selected."""
        return self._do(self._playing.choose(name, options, selected=False))

    def check(self, name: str) -> Self:
        """Check an OptIn."""
        return self._do(self._playing.check(name))

    def uncheck(self, name: str) -> Self:
        """Uncheck an OptIn."""
        return self._do(self._playing.check(name, selected=False))

    def tap(self, target: str | None = None, item: str | None = None) -> Self:
        """
        Tap the Footer; or the Footer, EmbeddedLink, OptIn ("Read more") or NavigationList of that label or name.

        `item` is the item of a NavigationList, by its id or title.
        """
        return self._do(self._playing.tap(target, item))

    def back(self) -> Self:
        """Go back; on the first screen this closes the Flow."""
        return self._do(self._playing.back())

    def attach(self, name: str, *files: Attachment | list[Attachment] | tuple[Attachment, ...]) -> Self:
        """
        Give a PhotoPicker or a DocumentPicker its files: bytes, paths, or `UploadedFile`, for one that fails too.

        It holds these files from then on, instead of any before. A file of bytes gets a name that is made up; an
        `UploadedFile` a content of zeros.
        """
        return self._do(self._playing.attach(name, files))

    def open(self, screen: str | None = None, data: Mapping[str, Any] | None = None) -> Self:
        """Start again on a screen, as a message with `flow_action` `navigate` opens it. Nothing is kept."""
        return self._do(self._playing.begin_again(screen, data))

    # -- what there is to see

    @property
    def screen(self) -> str:
        """The id of the current screen."""
        return self.session.screen

    @property
    def view(self) -> View:
        """What the user sees."""
        return self._settled().view

    def field(self, name: str) -> Node:
        """The field of this name (or label, or path) as the user sees it: `value`, `error`, `props`, `enabled`, ..."""
        return field_of(self.view, name)

    def offered(self, name: str) -> dict[str, str]:
        """The options of a field, or the items of a NavigationList: titles by ids, those that are disabled left out."""
        return {option.id: option.title for option in options_of(listed_of(self.view, name)) if option.enabled}

    @property
    def errors(self) -> dict[str, str]:
        """The errors that are shown now, by the names of their fields (by their paths, without a name)."""
        return shown_errors(self.view)

    @property
    def completed(self) -> dict[str, Any] | None:
        """
        The answers that the user's client sends at the end, with the flow token; None until then, and where the Flow
        closes without a message.

        A file stands as in a real message, with an id that is made up.
        """
        end = self.session.end
        if not isinstance(end, Complete) or not end.sent:
            return None
        found: dict[str, Any] = self._uploads.for_endpoint(end.payload)
        return found

    @property
    def summary(self) -> tuple[SummaryRow, ...]:
        """What the chat shows of the answers."""
        return summary(self.session)

    @property
    def requests(self) -> tuple[PlayedRequest, ...]:
        """The requests to the endpoint, with their answers, oldest first."""
        return tuple(self._settled().requests)

    @property
    def opened_urls(self) -> tuple[str, ...]:
        """The web pages that the user has asked for, oldest first. None of them is opened."""
        return tuple(self._settled().opened_urls)

    @property
    def events(self) -> tuple[Event, ...]:
        """What has happened since the Flow was opened: for `advance`."""
        return self.session.events

    @property
    def session(self) -> Session:
        """The state, a value: for `advance` and `view`."""
        return self._settled().session

    @property
    def cdn_files(self) -> Mapping[str, bytes]:
        """
        What the CDN would serve of the attached files that the endpoint was told of, by `cdn_url`: for `open_media`.

        Empty with an `upload` of your own.
        """
        return MappingProxyType(self._uploads.served)

    def as_test(self, name: str = "") -> str:
        """
        The source of a pytest test that does the same and passes, with what the endpoint has answered.

        It uses the fixture `play_flow`. `name` is the test's; without one, it is made of the file's. The flow token is
        left out.
        """
        source = self._source
        if source is not None and source.is_absolute() and source.is_relative_to(Path.cwd()):
            source = source.relative_to(Path.cwd())
        return as_test(self.session, source, name=name)

    def webhook_body(
        self, app_secret: AppSecrets | None = None, *, user: str = USER, context_id: str = SENT
    ) -> WebhookBody:
        """
        What the host's webhook gets: the raw body with the `nfm_reply`, and the headers with its signature.

            hooks.receive(*player.webhook_body())

        It is signed with `app_secret`, the player's, or the endpoint's. `user` is the user's telephone number, in
        digits; `context_id` is the id of the message with the Flow. The other ids are made up; the time is noon of
        `today`. Raises `PlayError` unless the Flow has sent a message, and `ConfigurationError` without a secret.
        """
        # Rebound, so that no local variable of this frame shows a secret.
        app_secret = cast("AppSecrets | None", as_secrets(app_secret))
        payload = self.completed
        if payload is None:
            raise PlayError("The user has sent no message: the Flow is not completed.")
        body = completion_body(payload, user=user, context_id=context_id, today=self.session.today)
        signature = self._sign(body, app_secret)
        return WebhookBody(body, {"Content-Type": "application/json", "X-Hub-Signature-256": signature})

    def _sign(self, body: bytes, app_secret: AppSecrets | None) -> str:
        known = self._options.secrets if app_secret is None else signatures.app_secrets(app_secret)
        signature = signatures.sign(body, known[0]) if known else None
        if signature is None and self._line is not None:
            signature = self._line.signature(body)
        if signature is None:
            raise ConfigurationError("app_secret is missing: the webhook of a host is signed with it.")
        return signature

    def __repr__(self) -> str:
        playing: Playing | None = self.__dict__.get("_playing")
        if playing is None:  # of a player that could not be made, in a traceback with local variables
            return f"{type(self).__name__}(not opened)"
        session = playing.session
        where = f"screen {session.screen}" if session.end is None else "over"
        return f"{type(self).__name__}({where}, {len(playing.requests)} requests)"


def _path_of(flow: object) -> Path | None:
    """The path, if a Flow JSON was given by one."""
    if isinstance(flow, os.PathLike):
        return Path(flow)
    return Path(flow) if isinstance(flow, str) and not flow.lstrip().startswith("{") else None
