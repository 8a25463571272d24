"""What an `Emulator` offers about webhooks: who gets them, what was delivered, and what a person would cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._webhook_shapes import WebhookChange
from .._wire import Secret
from ._admin import existing
from ._backend import Backend
from ._endpoint_checks import EndpointChecker
from ._webhook_bodies import completion, status_changes
from ._webhooks import WebhookDelivery, WebhookSender, WebhookTarget
from .graph import MessageRecord, World


class Subscriptions:
    """The part of `Emulator` that is about webhooks."""

    _backend: Backend
    _clock: Callable[[], float]
    _endpoints: EndpointChecker
    _sender: WebhookSender
    _waba_id: str
    _replies: int = 0

    def webhooks_to(
        self,
        target: WebhookTarget,
        *,
        app_secret: str | None = None,
        verify_token: str | None = None,
        attempts: int = 3,
    ) -> None:
        """
        Send webhooks to a URL, to `Webhooks` (or another receiver), or to a function of body and headers.

        From now on each change of a Flow's status is told there, and what `complete_flow` and `send_webhook` send; all
        of it signed with `app_secret`, by default the emulator's. A thread delivers them, one after the other, and no
        request waits for it. What is not answered with 200 is sent again at once, `attempts` times in all. At most
        1,000 wait; further ones are dropped. With `verify_token`, the target first gets Meta's GET.

        Without a secret of the emulator or of its `EndpointChecks`, the first `app_secret` that is given here also
        signs the pings to endpoints.

        A function may be asynchronous. It returns an `HttpAnswer`, a status, or None for 200. ValueError for a target
        that cannot be one, without a secret, or if the verification fails.
        """
        secret = app_secret or self._backend.settings.app_secret
        if not secret:
            raise ValueError("webhooks are signed: give app_secret, here or to the Emulator")
        self._sender.subscribe(target, Secret(secret), attempts, verify_token)
        self._endpoints.sign_with(secret)

    def complete_flow(
        self,
        message: MessageRecord | str | None = None,
        answers: Mapping[str, Any] | None = None,
        *,
        button: int = 0,
        with_token: bool = True,
    ) -> str:
        """
        Send the completion of a Flow: what the client of a user sends who has filled it in. Returns the message's id.

        `message` is one of `messages`, or its id; None: the last one. `answers` is the content of `response_json`, to
        which the flow token is added unless it is there, or `with_token` is False, as some clients do. `button` is the
        position among those buttons of a template that open a Flow. LookupError for an unknown message or button,
        ValueError without a webhook target, and for answers that are not JSON.
        """
        sent = self._message(message)
        if not 0 <= button < len(sent.tokens):
            raise LookupError(f"the message has no button {button} that opens a Flow")
        content = {**(answers or {})}
        if with_token:
            content.setdefault("flow_token", sent.tokens[button])
        with self._backend.lock:
            self._replies += 1
            message_id = f"wamid.{self._backend.settings.token_for('reply', self._replies)}"
        account = self._backend.world.account_of(sent.phone_number_id) or self._waba_id
        self._send(lambda now: completion(sent, account, content, message_id, now))
        return message_id

    def send_webhook(self, field: str, value: Mapping[str, Any], *, waba_id: str | None = None) -> None:
        """
        Send a webhook with one change of your own: an alert of the field `flows`, a message, or anything else.

        ValueError without a webhook target, and for a value that is not JSON.
        """
        self._send(lambda _: WebhookChange(waba_id=waba_id or self._waba_id, field=field, value=value))

    def wait_for_webhooks(self, timeout: float = 5.0) -> bool:
        """Wait until all webhooks are delivered or given up; False if that takes longer than `timeout` seconds."""
        return self._sender.flush(timeout)

    @property
    def webhooks(self) -> tuple[WebhookDelivery, ...]:
        """The last 1,000 deliveries, oldest first: one for each webhook and target."""
        return tuple(self._sender.deliveries)

    def _message(self, message: MessageRecord | str | None) -> MessageRecord:
        if isinstance(message, MessageRecord):
            return message
        messages = self._backend.world.messages
        if message is not None:
            return existing(messages, message)
        if not messages:
            raise LookupError("no message was sent")
        return list(messages.values())[-1]

    def _send(self, change: Callable[[float], WebhookChange]) -> None:
        if not self._sender.has_subscribers:
            raise ValueError("there is no webhook target: call webhooks_to first")
        now = self._clock()
        try:
            self._sender.send((change(now),), now)
        except (TypeError, RecursionError):
            raise ValueError("the content of a webhook must be JSON") from None

    def _status_changed(self, before: World, after: World) -> None:
        """Tell of the changes between two worlds. Called while the world is locked: it only queues."""
        if self._sender.has_subscribers:
            self._sender.send(tuple(status_changes(before, after)), self._clock())
