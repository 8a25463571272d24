# The source of _messages_sync.py: after a change, run `make generate`.
"""What the clients send to people: messages and templates that open a Flow; and the files that come back."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import _conversations as conversations
from . import _operations as operations
from ._driver_async import AsyncDriver

if TYPE_CHECKING:
    from ._documents import Validate
    from ._media_values import EncryptedMedia, ResponseMedia
    from ._vocabulary import FlowAction, FlowMode, TemplateCategory
    from .messages import FlowButton, FlowButtonParameters, FlowTemplate, SentMessage


class AsyncMessages(AsyncDriver):
    """The methods of `AsyncFlowsClient` that send messages, and download what people have uploaded."""

    async def send_flow(
        self,
        to: str,
        flow_id: str | None = None,
        *,
        cta: str,
        body: str,
        flow_name: str | None = None,
        header: str | None = None,
        footer: str | None = None,
        screen: str | None = None,
        data: Mapping[str, object] | str | None = None,
        action: FlowAction = "navigate",
        mode: FlowMode = "published",
        token: str | None = None,
        reply_to: str | None = None,
        phone_number_id: str | None = None,
    ) -> SentMessage:
        """
        Send a message that opens a Flow, within 24 hours after the person's last message (131047 otherwise).

        `to` is a phone number with its country code, or a business-scoped user ID. The Flow is named by `flow_id` or by
        `flow_name`, exactly one. `cta` is the button's label: at most 30 characters without emoji; over 20 are logged,
        since some phones cut them off. `body` has at most 1,024 characters, `header` and `footer` 60.

        With "navigate" the Flow opens on `screen`, one of its entry screens (None: the first), with `data`, a JSON
        object that is not empty. With `action="data_exchange"` the endpoint is asked for the first screen, and both are
        refused. `mode="draft"` opens the draft, with a warning on the phone.

        `token` is the flow token, which the endpoint gets and the completed Flow brings back; None makes an
        unpredictable one (`SentMessage.token`). `reply_to` is the id of a message to quote. `phone_number_id` is the
        sender, if not the client's.

        A message is sent again only if Meta did not get it, or refused it for a reason that passes. After a lost answer
        the error has `may_have_acted`: sending again may be a second message (docs/messages.md). Per-call options:
        `with_options`.
        """
        message = operations.FlowMessage(
            to=to,
            flow_id=flow_id,
            flow_name=flow_name,
            cta=cta,
            body=body,
            header=header,
            footer=footer,
            screen=screen,
            data=data,
            action=action,
            mode=mode,
            token=token,
            reply_to=reply_to,
        )
        return await self._call(operations.send_flow(self._api, message, phone_number_id))

    async def create_flow_template(
        self,
        name: str,
        language: str,
        *,
        body: str,
        buttons: Sequence[FlowButton],
        category: TemplateCategory = "MARKETING",
        header: str | None = None,
        footer: str | None = None,
        header_examples: Sequence[str] | Mapping[str, str] = (),
        body_examples: Sequence[str] | Mapping[str, str] = (),
        validate: Validate | None = None,
    ) -> FlowTemplate:
        """
        Create a message template with FLOW buttons, for messages outside of the 24 hours.

        `name` is of lower-case letters, digits and _; `language` is Meta's code, like "en" or "pt_BR". `category` is
        "MARKETING", as in Meta's own samples, or "UTILITY"; Meta may change it. `body` has at most 1,024 characters,
        `header` and `footer` 60. For each variable, `{{1}}` or `{{name}}`, Meta requires an example: a list, or a
        mapping from the names. `validate` is for the Flow JSON of buttons, and overrides the client's option.

        A new template is "PENDING" until Meta has reviewed it (`FlowTemplate.status`). A lost answer never leads to a
        second one: it is looked up by name and language, and adopted (`FlowTemplate.adopted`). Without a lost answer, a
        name that exists in that language raises `NameTakenError`. Per-call options: `with_options`.
        """
        new = operations.NewTemplate(
            name=name,
            language=language,
            body=body,
            buttons=operations.item_list("buttons", buttons, "FlowButtons"),
            category=category,
            header=header,
            footer=footer,
            header_examples=header_examples,
            body_examples=body_examples,
        )
        mode = self._settings.mode_for(validate)
        return await self._run(conversations.create_flow_template(self._api, self._settings.policy, new, mode))

    async def send_flow_template(
        self,
        to: str,
        name: str,
        language: str,
        *,
        token: str | None = None,
        data: Mapping[str, object] | str | None = None,
        buttons: Sequence[FlowButtonParameters] = (),
        header_parameters: Sequence[str] | Mapping[str, str] = (),
        body_parameters: Sequence[str] | Mapping[str, str] = (),
        reply_to: str | None = None,
        phone_number_id: str | None = None,
    ) -> SentMessage:
        """
        Send an approved template whose button opens a Flow.

        `token` and `data` are those of the button at position 0, as for `send_flow`; leave `data` out for a
        "data_exchange" button. For a button at another position, or several, give `buttons` instead: Meta requires one
        entry for each FLOW button of the template. `header_parameters` and `body_parameters` are the values of the
        variables: a list for `{{1}}`, `{{2}}`, a mapping for `{{name}}`.

        Everything else, and when it is sent again, is as for `send_flow`. Per-call options: `with_options`.
        """
        given = operations.item_list("buttons", buttons, "FlowButtonParameters")
        message = operations.TemplateMessage(
            to=to,
            name=name,
            language=language,
            buttons=operations.template_buttons(token, data, given),
            header_parameters=header_parameters,
            body_parameters=body_parameters,
            reply_to=reply_to,
        )
        return await self._call(operations.send_flow_template(self._api, message, phone_number_id))

    async def download_media(
        self,
        item: EncryptedMedia | ResponseMedia | Mapping[str, Any],
        path: str | os.PathLike[str],
        *,
        max_bytes: int = 25 * 2**20,
        allowed_hosts: Iterable[str] | None = None,
    ) -> int:
        """
        Download a file that a person has uploaded in a Flow; returns its size in bytes.

        `item` is a `ResponseMedia` of a response message, whose address Meta gives for its id, or an `EncryptedMedia`
        of an endpoint (extra `endpoint`), or the object of either as Meta sends it. `path` appears when every check has
        passed; a file that is there is replaced at once, as a whole. Make a name of `item.safe_name`, never of
        `item.file_name`. The content is in memory meanwhile, at most `max_bytes`.

        The access token goes to `lookaside.fbsbx.com` alone, which no page of Meta's names; an encrypted file comes
        from a host below `whatsapp.net`, which gets no token. `allowed_hosts` replaces both: `.example.net` is all
        hosts below that name, `example.net` that host, `https://example.net:8443` that origin.

        Raises `MediaIntegrityError` when the content is not what was uploaded, `MediaRefusedError` for an address or a
        size that is not allowed, and `MediaDownloadError` when two addresses of Meta's were refused. An address that
        has expired is asked for again, once. Per-call options: `with_options`.
        """
        download = conversations.download_media(
            self._api,
            self._settings.policy,
            item,
            path,
            max_bytes=max_bytes,
            allowed_hosts=allowed_hosts,
        )
        return await self._run(download)
