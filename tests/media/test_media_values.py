"""What Meta says about an uploaded file is read strictly, shown without keys, and stored only where one asks for it."""

from __future__ import annotations

import copy
import json
import pickle
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from whatsapp_flows._endpoint_errors import MediaRefusedError
from whatsapp_flows._media_values import (
    MAX_FILES,
    EncryptedMedia,
    MediaKeys,
    ResponseMedia,
    encrypted_media,
    response_media,
)

SIZES = {"encryption_key": 32, "hmac_key": 32, "iv": 16, "encrypted_hash": 32, "plaintext_hash": 32}
METADATA = {name: b64encode(bytes(range(size))).decode() for name, size in SIZES.items()}
ENCRYPTED: Mapping[str, Any] = {
    "media_id": "790aba14-5f4a-4dbd-b9e5-0d75401da14b",
    "cdn_url": "https://mmg.whatsapp.net/v/redacted?ccb=11-4&oh=01_abc",
    "file_name": "Passport of Zoë.jpg",
    "encryption_metadata": METADATA,
}
HEX = "20ea10eda3c712a4d917c55b3713fc6f9eb58dca16b0449dc38d7b9580fee273"
RESPONSE: Mapping[str, Any] = {
    "id": "1234567890",
    "file_name": "Passport of Zoë.jpg",
    "mime_type": "image/jpeg",
    "sha256": b64encode(bytes.fromhex(HEX)).decode(),
}


def without(found: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != key}


def with_metadata(**changes: object) -> dict[str, Any]:
    return {**ENCRYPTED, "encryption_metadata": {**METADATA, **changes}}


def test_the_files_of_a_picker_are_read() -> None:
    """All that Meta says is there, the keys and hashes as bytes."""
    (file,) = encrypted_media([ENCRYPTED])
    assert (file.media_id, file.cdn_url) == (ENCRYPTED["media_id"], ENCRYPTED["cdn_url"])
    assert (file.file_name, file.safe_name) == ("Passport of Zoë.jpg", "Passport of Zoë.jpg")
    assert file.keys == MediaKeys(bytes(range(32)), bytes(range(32)), bytes(range(16)))
    assert file.encrypted_hash == file.plaintext_hash == bytes(range(32))


def test_the_files_of_a_response_message_are_read() -> None:
    """The digest is bytes, whether Meta wrote it in base64 or in hexadecimal; it may be missing."""
    (file,) = response_media([RESPONSE])
    assert (file.id, file.mime_type, file.safe_name) == ("1234567890", "image/jpeg", "Passport of Zoë.jpg")
    assert file.sha256 == RESPONSE["sha256"]
    assert file.digest == bytes.fromhex(HEX)
    assert ResponseMedia(id="1", sha256=HEX.upper()).digest == bytes.fromhex(HEX)
    assert ResponseMedia(id="1").digest is None


def test_a_file_whose_type_the_device_does_not_know_is_read() -> None:
    """It does not keep the other files of the picker from being read."""
    first, second = response_media([{**RESPONSE, "mime_type": ""}, RESPONSE])
    assert (first.mime_type, second.mime_type) == ("", "image/jpeg")
    assert ResponseMedia.from_json(first.to_json()) == first


@pytest.mark.parametrize("read", [encrypted_media, response_media])
def test_an_optional_picker_may_be_empty_or_missing(read: Any) -> None:
    """No value and an empty list are no files."""
    assert read(None) == read([]) == ()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("photo.jpg", "must be a list, not a str"),
        ({"0": ENCRYPTED}, "must be a list, not a dict"),
        ([ENCRYPTED] * (MAX_FILES + 1), "at most 30 files, not 31"),
        ([ENCRYPTED, "photo.jpg"], "file 1 of the picker must be an object, not a str"),
        ([RESPONSE], "response_media"),
        ([without(ENCRYPTED, "encryption_metadata")], "encryption_metadata must be an object"),
        ([{**ENCRYPTED, "encryption_metadata": "text"}], "encryption_metadata must be an object"),
        ([without(ENCRYPTED, "media_id")], "media_id"),
        ([{**ENCRYPTED, "media_id": ""}], "media_id"),
        ([{**ENCRYPTED, "media_id": "1" * 257}], "media_id"),
        ([{**ENCRYPTED, "cdn_url": None}], "cdn_url"),
        ([{**ENCRYPTED, "cdn_url": "https://mmg.whatsapp.net/" + "a" * 8192}], "cdn_url"),
        ([with_metadata(iv=b64encode(bytes(12)).decode())], "iv must be 16 bytes"),
        ([with_metadata(encryption_key=b64encode(bytes(16)).decode())], "encryption_key must be 32 bytes"),
        ([with_metadata(hmac_key=b64encode(bytes(33)).decode())], "hmac_key must be 32 bytes"),
        ([with_metadata(hmac_key=b64encode(bytes(32)).decode() + "=")], "hmac_key must be 32 bytes"),
        ([with_metadata(iv=b64encode(bytes(16)).decode() + "====")], "iv must be 16 bytes"),
        ([with_metadata(encrypted_hash=HEX)], "encrypted_hash must be 32 bytes"),
        ([with_metadata(plaintext_hash="")], "plaintext_hash must be 32 bytes"),
        ([with_metadata(plaintext_hash=METADATA["plaintext_hash"] + "\n")], "plaintext_hash"),
        ([with_metadata(iv="YGFiY2RlZmdoaWprbG1ub_==")], "iv"),
        ([with_metadata(iv="é" * 24)], "iv"),
        ([with_metadata(iv="A" * 100_000)], "iv"),
        ([with_metadata(iv=16)], "iv"),
    ],
)
def test_a_file_that_is_not_as_documented_is_refused(value: object, message: str) -> None:
    """The message names the place and what is wrong, and nothing of the user's."""
    with pytest.raises(MediaRefusedError, match=message) as caught:
        encrypted_media(value)
    assert not [text for text in ("Zoë", "photo.jpg", *METADATA.values()) if text in str(caught.value)]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([ENCRYPTED], "file 0 of the picker is encrypted"),
        ([without(RESPONSE, "id")], "id"),
        ([{**RESPONSE, "id": "../me"}], "id must be"),
        ([{**RESPONSE, "id": "1?fields=x"}], "id must be"),
        ([{**RESPONSE, "id": "1" * 65}], "id must be"),
        ([without(RESPONSE, "mime_type")], "mime_type"),
        ([{**RESPONSE, "sha256": f"{b64encode(bytes(32)).decode()}="}], "sha256 must be 32 bytes"),
        ([{**RESPONSE, "sha256": "c2hvcnQ="}], "sha256 must be 32 bytes"),
        ([{**RESPONSE, "sha256": "zz" * 32}], "sha256 must be 32 bytes"),
        ([RESPONSE] * 31, "at most 30"),
    ],
)
def test_a_file_of_a_response_message_that_is_not_as_documented_is_refused(value: object, message: str) -> None:
    """The same for the other variant."""
    with pytest.raises(MediaRefusedError, match=message):
        response_media(value)


def test_files_of_one_name_get_names_of_their_own() -> None:
    """The names in one list are different files; the device's names stay as they are."""
    files = encrypted_media([ENCRYPTED, ENCRYPTED, {**ENCRYPTED, "file_name": "../PASSPORT OF ZOË.JPG"}])
    assert [file.safe_name for file in files] == [
        "Passport of Zoë.jpg", "Passport of Zoë-2.jpg", "PASSPORT OF ZOË-3.JPG",
    ]  # fmt: skip
    assert [file.file_name for file in files] == [*["Passport of Zoë.jpg"] * 2, "../PASSPORT OF ZOË.JPG"]


@pytest.mark.parametrize("name", [None, 7, ["a"], "\ud800", "a" * 100_000])
def test_a_name_that_is_none_costs_no_file(name: object) -> None:
    """A missing name, another type, half a character and a text of any length become a name."""
    (file,) = encrypted_media([{**ENCRYPTED, "file_name": name}])
    assert file.safe_name in {"file", "7", "a" * 128}
    assert EncryptedMedia.from_json(file.to_json()) == file


def test_no_key_and_no_name_is_shown() -> None:
    """A repr has the id alone; the keys have no text."""
    (file,) = encrypted_media([ENCRYPTED])
    assert repr(file) == f"EncryptedMedia(media_id='{ENCRYPTED['media_id']}')"
    assert repr(file.keys) == str(file.keys) == "MediaKeys(***)"
    assert repr(ResponseMedia(id="1", file_name="Zoë", mime_type="image/png", sha256=HEX)) == (
        "ResponseMedia(id='1', mime_type='image/png')"
    )


def test_keys_are_not_pickled_by_accident() -> None:
    """Pickling says what to do instead; a file without keys is pickled as any value; copies are the value itself."""
    (file,) = encrypted_media([ENCRYPTED])
    with pytest.raises(TypeError, match="to_json"):
        pickle.dumps(file)
    with pytest.raises(TypeError, match="to_json"):
        pickle.dumps(file.keys)
    (other,) = response_media([RESPONSE])
    assert pickle.loads(pickle.dumps(other)) == other
    assert copy.copy(file) is copy.deepcopy(file) is file
    assert copy.copy(file.keys) is copy.deepcopy(file.keys) is file.keys


def test_a_queue_gets_json_and_gives_it_back() -> None:
    """`from_json` reads what `to_json` wrote, with the name that is distinct in its list; the form is Meta's own."""
    second = encrypted_media([ENCRYPTED, ENCRYPTED])[1]
    assert EncryptedMedia.from_json(second.to_json().encode()) == second
    assert json.loads(second.to_json()) == {**ENCRYPTED, "safe_name": "Passport of Zoë-2.jpg"}
    third = response_media([RESPONSE, RESPONSE])[1]
    assert ResponseMedia.from_json(third.to_json()) == third
    assert json.loads(third.to_json()) == {**RESPONSE, "safe_name": "Passport of Zoë-2.jpg"}


@pytest.mark.parametrize("stored", ["", "null", "[]", "{}", b"\xff", "[" * 100_000, "1" * 5000, " " * 300_000, None, 7])
def test_what_was_not_stored_by_us_is_refused(stored: Any) -> None:
    """Anything but the text of `to_json` is one error."""
    for kind in (EncryptedMedia, ResponseMedia):
        with pytest.raises(MediaRefusedError):
            kind.from_json(stored)


def test_equal_keys_are_equal() -> None:
    """Files are equal if all of them is, keys included, and can be in a set."""
    (one,), (same,) = encrypted_media([ENCRYPTED]), encrypted_media([ENCRYPTED])
    (other,) = encrypted_media([with_metadata(hmac_key=b64encode(bytes(32)).decode())])
    assert one == same
    assert len({one, same, other}) == 2
    assert one.keys != "MediaKeys(***)"


@pytest.mark.parametrize("sizes", [(31, 32, 16), (32, 31, 16), (32, 32, 12)])
def test_keys_made_by_hand_have_the_right_sizes(sizes: tuple[int, int, int]) -> None:
    """The constructor checks what the reader checks."""
    with pytest.raises(MediaRefusedError, match="bytes"):
        MediaKeys(*map(bytes, sizes))
    with pytest.raises(MediaRefusedError, match="bytes"):
        MediaKeys("k" * 32, bytes(32), bytes(16))  # type: ignore[arg-type]
    with pytest.raises(MediaRefusedError, match="encrypted_hash must be 32 bytes"):
        EncryptedMedia(media_id="1", cdn_url="https://a.whatsapp.net", encrypted_hash=b"", plaintext_hash=bytes(32),
                       keys=MediaKeys(bytes(32), bytes(32), bytes(16)))  # fmt: skip


KEYS = st.sampled_from([*ENCRYPTED, *METADATA, *RESPONSE])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=12,
)


@settings(max_examples=some(60))
@given(JSON)
def test_any_json_is_read_or_refused(value: object) -> None:
    """No other exception comes out, whatever a peer sends."""
    for read in (encrypted_media, response_media):
        try:
            files = read(value)
        except MediaRefusedError:
            continue
        assert isinstance(files, tuple)
