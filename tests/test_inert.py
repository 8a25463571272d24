"""Text from elsewhere is made harmless before it is shown: one line, no control characters, no credentials."""

from __future__ import annotations

import io
import json
import logging
import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import WABA, Scene, answer, refusal
from whatsapp_flows import ConfigurationError, ErrorDetails, FlowsError, InvalidRequestError
from whatsapp_flows._inert import MASK, inert, inert_lines, without_credentials
from whatsapp_flows._log import logger
from whatsapp_flows._wire import Secret

# What a name from Meta or from a file may contain.
HOSTILE = {
    "a line end": "Termin\r\nCRITICAL everything is on fire",
    "an escape sequence": "Termin\x1b[2J\x1b]0;owned\x07",
    "a C1 control": "Termin\x9b2J",
    "a bidi override": "Termin\u202egnp.exe",
    "a line separator": "Termin\u2028CRITICAL",
    "a lone surrogate": "Termin\ud83d",
    "a null": "Termin\x00",
    "a workflow command": "Termin\n::error::forged",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_text_becomes_one_printable_line(name: str) -> None:
    """The text is kept; what a terminal or a log would interpret is an escape."""
    assert inert(name).isprintable()
    assert inert(name).startswith("Termin\\")
    inert(name).encode()


@given(st.text())
def test_inert_is_printable_and_stays_as_it_is(text: str) -> None:
    """Applying it twice changes nothing, and printable text is unchanged."""
    once = inert(text)
    assert once.isprintable()
    assert inert(once) == once
    assert once == text or not text.isprintable()
    assert inert_lines(text).count("\n") == text.count("\n")


CREDENTIALS = [
    ("http://user:pass@proxy:3128 refused", f"http://{MASK}@proxy:3128 refused"),
    ("http://user:p@ss@proxy:3128 refused", f"http://{MASK}@proxy:3128 refused"),
    ("http://user:pa/ss@proxy:3128 refused", f"http://{MASK}@proxy:3128 refused"),
    ("socks5://user@proxy", f"socks5://{MASK}@proxy"),
    ("https://cdn.example/a@2x.png", "https://cdn.example/a@2x.png"),
    ("https://cdn.example:8443/a@2x.png", "https://cdn.example:8443/a@2x.png"),
    ("write to a@example.com", "write to a@example.com"),
    ("token EAAGm0PX4ZCpsBAKZBxTestTokenThat is bad", f"token {MASK} is bad"),
    ("GET /me?access_token=abc&limit=1", f"GET /me?access_token={MASK}&limit=1"),
]


@pytest.mark.parametrize(("text", "shown"), CREDENTIALS)
def test_what_has_the_shape_of_a_credential_is_masked(text: str, shown: str) -> None:
    """Whatever client it belongs to; addresses and paths with an @ are unchanged."""
    assert without_credentials(text) == shown


@pytest.mark.parametrize(("text", "shown"), CREDENTIALS)
def test_an_error_holds_no_credential(text: str, shown: str) -> None:
    """Wherever it was made, and in whichever of its texts."""
    error = FlowsError(ErrorDetails(message=text, user_title=text, user_message=text, fbtrace_id=text))
    assert {error.message, error.user_title, error.user_message, error.fbtrace_id} == {shown}
    assert ConfigurationError(text).message == shown


TOKEN = "EAAGm0PX4ZCpsBAO9vXk2ZCq7Rt1LwZBn8YfZA3eZD"
APP_TOKEN = "4271998233561|kZx/Qm+w9_T7aB-c1LwNn8Yf5Rr="


def spellings(char: str) -> list[str]:
    """The ways in which software may escape a character."""
    code = ord(char)
    return [
        char, f"\\u{code:04x}", f"\\u{code:04X}", f"\\\\u{code:04x}", f"\\x{code:02x}", f"\\u{{{code:x}}}",
        f"%{code:02x}", f"%{code:02X}", f"%25{code:02X}", f"%2525{code:02X}", f"&#{code};", f"&#x{code:X};",
        f"&amp;#{code};", f"%5Cu{code:04x}", f"\\u0025{code:02x}",
    ]  # fmt: skip


@pytest.mark.parametrize("value", [TOKEN, APP_TOKEN])
def test_a_secret_is_found_in_any_mix_of_escapes(value: str) -> None:
    """JSON, percent and HTML escapes, once or twice over, upper and lower case, mixed; nothing else is touched."""
    secret, chance = Secret(value), random.Random(9)
    for _ in range(200):
        written = "".join(chance.choice(spellings(char)) for char in value)
        assert secret.mask(f'He said "{written}", 100 %.') == f'He said "{MASK}", 100 %.'
    for position, char in enumerate(value):
        for spelling in spellings(char):
            written = value[:position] + spelling + value[position + 1 :]
            masked = secret.mask(f"<{written}>")
            assert MASK in masked
            assert len(masked) <= len(f"<&amp;#05{MASK}>")  # half of an escape is no part of it


@pytest.mark.parametrize("secret", [TOKEN, APP_TOKEN])
def test_the_beginning_of_an_escaped_secret_is_enough(secret: str) -> None:
    """No part of it is left in a truncated text."""
    written = "".join(f"\\u{ord(char):04x}" for char in secret[:30])
    assert Secret(secret).mask(f'"{written}" and more') == f'"{MASK}" and more'


def test_a_long_answer_is_searched_for_what_software_writes() -> None:
    """Over 256 KiB only texts that are escaped in one way are found, which limits the time."""
    secret, filler = Secret(TOKEN), " " * 300_000
    for written in (TOKEN, "".join(f"\\u{ord(char):04x}" for char in TOKEN)):
        assert secret.mask(filler + written) == filler + MASK
    mixed = "\\u0045" + "%41" * 2 + TOKEN[3:]
    assert secret.mask(filler + mixed) == filler + mixed
    assert secret.mask(mixed) == MASK


def test_other_text_is_left_alone() -> None:
    """Escapes of other things stay as they are."""
    text = json.dumps({"name": "Überraschung", "next": "https://x/y?after=QVFIUj%3D%3D", "path": "a\\b"})
    assert Secret(TOKEN).mask(text) == text


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What a plain handler writes of the library's logger."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield stream
    logger.setLevel(level)
    logger.removeHandler(handler)


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_no_line_of_the_log_can_be_forged(name: str, log: io.StringIO) -> None:
    """Not by the name of a flow, a message of Meta or a trace id: each record is one line."""
    scene = Scene(
        refusal(2, error_user_msg=name, error_user_title=name, fbtrace_id=name),
        answer({"data": []}),
        refusal(100, error_user_msg=name, fbtrace_id=name),
    )
    with pytest.raises(InvalidRequestError) as caught:
        scene.client.create_flow(name.encode(errors="ignore").decode(), ["OTHER"])
    lines = log.getvalue().split("\n")[:-1]
    assert [line.partition(" ")[0] for line in lines] == ["WARNING", "DEBUG", "INFO", "ERROR"]
    assert all(line.isprintable() for line in lines)
    assert str(caught.value).isprintable()
    assert caught.value.user_message == name  # unescaped, for hosts that need it


def test_the_facts_of_a_record_are_inert(caplog: pytest.LogCaptureFixture) -> None:
    """A format that shows `%(fbtrace_id)s` is as safe as one that does not."""
    scene = Scene(refusal(100, fbtrace_id="A\r\nB"))
    with pytest.raises(InvalidRequestError):
        scene.client.get_flow("1")
    assert [record.__dict__["fbtrace_id"] for record in caplog.records] == ["A\\r\\nB"]


def test_the_text_of_a_logged_exception_is_one_line(log: io.StringIO) -> None:
    """A host's consumer that quotes a flow's name in its exception forges no line; the frames are logged as usual."""

    def broken(event: object) -> None:
        raise ValueError(HOSTILE["a line end"])

    scene = Scene(answer({"data": []}), on_event=[broken])
    assert scene.client.waba_id == WABA
    list(scene.client.list_flows())
    lines = log.getvalue().split("\n")
    assert "ValueError: Termin\\r\\nCRITICAL everything is on fire" in lines
    assert any(line.startswith("Traceback") for line in lines)
    assert not any(line.startswith("CRITICAL") for line in lines)
