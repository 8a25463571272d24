"""
The checks of what a message holds. A `ConfigurationError` names the argument and never quotes it: it is a user's data.

Sources: Meta, "Sending a Flow" (`flow_cta`, `flow_action_payload`), "Template components" (the lengths) and
"Business-scoped user IDs" (recipients). "Flows API" advises at most 30 characters without emoji for `flow_cta`, older
editions of it and most libraries enforce 20.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from json import loads
from typing import Final

from ._json import compact_json
from ._log import logger
from ._wire import short_repr
from .errors import ConfigurationError

HEADER_MAX_LENGTH: Final = 60
BODY_MAX_LENGTH: Final = 1024
FOOTER_MAX_LENGTH: Final = 60
BUTTON_MAX_LENGTH: Final = 25
CTA_MAX_LENGTH: Final = 30
_CTA_SAFE_LENGTH: Final = 20
_DATA_MAX_BYTES: Final = 2**20  # "all data exchanged is limited to 1 MB in total" (Meta, "Best practices")
_UNUSED: Final = "unused"  # what Meta uses for a message without a token
_TOKEN_BYTES: Final = 24  # 192 random bits, 32 characters
_TOKEN_MAX_LENGTH: Final = 4096  # Meta documents no limit; a longer one is no identifier

_PHONE: Final = re.compile(r"\+?[1-9][0-9]{6,14}")  # E.164: at most 15 digits
_USER_ID: Final = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")  # US.134..., of a parent: US.ENT.118...
_WAMID: Final = re.compile(r"wamid\.[A-Za-z0-9+/=_-]{1,500}")
# The blocks of emoji and symbols, the dingbats, what makes an emoji of another character, and the few emoji elsewhere.
_EMOJI: Final = re.compile("[\U0001f000-\U0001faff☀-➿\ufe0f\u20e3⌚⌛⏩-⏳◽◾⬛⬜⭐⭕]")


def limited_text(argument: str, value: object, most: int) -> str:
    """A text with more than white space in it, of at most `most` characters, which UTF-8 can encode."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{argument} must be a text that is not empty.")
    if len(value) > most:
        raise ConfigurationError(f"{argument} must have at most {most} characters, not {len(value)}.")
    if not _encodable(value):
        raise ConfigurationError(f"{argument} contains a lone surrogate, which UTF-8 cannot encode.")
    return value


def call_to_action(value: object) -> str:
    """The label of the button of a message; a long one is logged, because some phones cut it off."""
    cta = limited_text("cta", value, CTA_MAX_LENGTH)
    if _EMOJI.search(cta):
        raise ConfigurationError("cta must not contain emoji.")
    if len(cta) > _CTA_SAFE_LENGTH:
        logger.warning("The cta of a Flow message has %d characters: some phones show %d", len(cta), _CTA_SAFE_LENGTH)
    return cta


def one_of(argument: str, value: object, known: tuple[str, ...]) -> None:
    """Raise unless the value is one of the known ones."""
    if value not in known:
        raise ConfigurationError(f"{argument} must be one of {', '.join(known)}, not {short_repr(value)}.")


def exactly_one(**given: object) -> None:
    """Raise unless exactly one of the arguments is not None."""
    names = [name for name, value in given.items() if value is not None]
    if len(names) != 1:
        found = f"not {' and '.join(names)}" if names else "and none is given"
        raise ConfigurationError(f"give exactly one of {', '.join(given)}, {found}.")


def recipient(value: object) -> dict[str, str]:
    """
    The field of the request that names the recipient: `to` for a phone number, `recipient` for a user id.

    A phone number has its country code, with or without a plus sign; a user id is a business-scoped one.
    """
    if isinstance(value, str):
        if _PHONE.fullmatch(value):
            return {"to": value}
        if _USER_ID.fullmatch(value):
            return {"recipient": value}
    raise ConfigurationError(
        "to must be a phone number with its country code, of digits alone (+ may stand before them), or a "
        "business-scoped user ID like US.13491208655302741918."
    )


def message_id(argument: str, value: object) -> str:
    """The id of a message of the conversation, a wamid."""
    if not isinstance(value, str) or not _WAMID.fullmatch(value):
        raise ConfigurationError(f"{argument} must be the id of a message, like wamid.HBgL....")
    return value


def flow_token(value: object) -> str:
    """The token that was given, or an unpredictable one for None."""
    if value is None:
        return secrets.token_urlsafe(_TOKEN_BYTES)
    token = limited_text("token", value, _TOKEN_MAX_LENGTH)
    if token.strip().lower() == _UNUSED:
        raise ConfigurationError(f"token must not be {_UNUSED!r}: Meta uses it for messages without a token.")
    return token


def screen_data(argument: str, value: object) -> dict[str, object]:
    """The data of a screen: a JSON object that is not empty, given as a mapping or as JSON text; at most 1 MB."""
    wrong = f"{argument} must be a JSON object with at least one key."
    if isinstance(value, str):
        try:
            value = loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, Mapping) or not value:
        raise ConfigurationError(f"{wrong} Leave it out where there is no data.")
    if not all(isinstance(key, str) for key in value):
        raise ConfigurationError(f"{wrong} Its keys must be strings.")
    found = dict(value)
    try:
        size = len(compact_json(found, ascii_only=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError):  # without the cause, which may quote a value
        size = None
    if size is None:
        raise ConfigurationError(f"{argument} holds a value that has no JSON form.")
    if size > _DATA_MAX_BYTES:
        raise ConfigurationError(f"{argument} has {size} bytes of JSON; Meta takes {_DATA_MAX_BYTES} in total.")
    return found


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
