"""`FlowPlayer`: carries out the moves of a user, blocking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._base_player import BasePlayer
from ._playing import Moves, following

if TYPE_CHECKING:
    from typing_extensions import Self


class FlowPlayer(BasePlayer):
    """
    Plays a Flow as its user does on a phone, without a phone: for tests.

        player = FlowPlayer("booking.json", endpoint=endpoint)
        player.fill(name="Ada").tap("Continue").choose("slot", "10:00").tap()
        assert player.completed == {"slot": "10:00", "flow_token": "test"}

    `flow` is a Flow JSON: a path, a mapping, its text or bytes. It opens on `screen`, or on its first screen, with
    `data`, or with the `__example__` values of the screen's data model. With an `endpoint` and neither of them, it
    opens with INIT, if the Flow has a `data_api_version`, and the `FlowEndpoint` a handler for INIT; `init` says
    otherwise.

    `endpoint` is one of

    - a `FlowEndpoint`, called through real encryption with a key and a secret of its own;
    - another receiver (`combined(...)`), an ASGI application, a WSGI application, or a URL: https, or http to this
      machine. They need `public_key` and `app_secret`, as `EndpointClient` does; an application gets its requests at
      `path`, and `interface` (`"asgi"`, `"wsgi"`, `"callable"`) says what a callable is whose arguments do not;
    - a URL without `public_key`: a server in development, to which the decrypted request is posted as JSON, and which
      answers likewise;
    - a function of one argument, plain or a coroutine function: it gets the decrypted request as a dict, and returns
      the decrypted answer as a dict, a `Show`, `Finish` or `Close`, or an `Answer` with a `failure`. It may raise
      `InvalidToken`. `interface="function"` says so where its arguments do not.

    All but the last two need the extra `endpoint`. A request is given up after `time_limit` seconds. Where an answer is
    refused, the endpoint is told, as a client does, and the move raises `WrongTransition`, `DataModelMismatch` or
    `EndpointFault`.

    An ASGI application runs each request in an event loop of its own. With `lifespan=True` all run in one, and the
    application's lifespan around them, until `close()`, or the end of `with`.

    `today` is the day on which the Flow is played; None is the current one. `app_secret` also signs `webhook_body()`.
    `upload(content, file_name=...)` gives what an endpoint gets for an attached file, such as
    `Emulator.add_encrypted_media`; without one, `cdn_files` has what the CDN would serve. `sleep` waits between the two
    requests of a 421, `clock` gives seconds.

    Each move is carried out at once and returns the player. A user who could not do it gets `NoSuchField`,
    `NotTappable` or `NotOffered`, and nothing has changed. Raises `ConfigurationError` for what makes no sense, and the
    `PlayError` of a Flow that cannot open.
    """

    def _begin(self, opening: Moves) -> None:
        try:
            if self._lifespan and self._line is not None:
                self._line.start()
            self._do(opening)
        except BaseException:
            self.close()  # nobody else can
            raise

    def _do(self, moves: Moves) -> Self:
        try:
            call = next(moves, None)
            while call is not None:
                try:
                    answer = self._endpoint.ask(call)
                except Exception as failure:  # noqa: BLE001 - whatever an application raises
                    call = moves.throw(failure)  # they settle the state, and raise
                else:
                    call = following(moves, answer)
        finally:
            moves.close()
        return self

    def close(self) -> None:
        """Close the connections to a URL, or end the lifespan of an ASGI application. The state can be read on."""
        if self._line is not None:
            self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
