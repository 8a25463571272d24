"""A file name that somebody else has chosen becomes one safe component of a path."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_flows._safe_names import MAX_NAME_BYTES, distinct_names, safe_name

# Names of any characters, lone surrogates too, with more of those that are special somewhere.
ANY_NAMES = st.one_of(
    st.text(st.characters(), max_size=60),
    st.text(
        st.sampled_from(
            "./\\:-_ ~$*?<>|\"'`\0\n\r\t\u202e\u2066\ufeff\u2024\uff0f\uff3c\u0301\ufdfaconNUL1\u00e9\u6f22\U0001f600"
        ),
        max_size=300,
    ),
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("holiday.jpg", "holiday.jpg"),
        ("Rechnung März (2).pdf", "Rechnung März (2).pdf"),
        ("照片.png", "照片.png"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("/etc/passwd", "passwd"),
        ("C:\\fakepath\\a.jpg", "a.jpg"),
        ("C:a.jpg", "C_a.jpg"),
        ("\\\\server\\share\\a.jpg", "a.jpg"),
        ("a.jpg:stream", "a.jpg_stream"),
        ("a.jpg\0.exe", "a.jpg.exe"),
        ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie_ x.jpg"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\u200b\ufeff\u2066b.jpg", "ab.jpg"),
        ("a\ud800.jpg", "a.jpg"),
        ("..", "file"),
        (".", "file"),
        ("", "file"),
        ("   ", "file"),
        ("a/", "file"),
        ("\u202e", "file"),
        (None, "file"),
        (7, "file"),
        (["a.jpg"], "file"),
        (".htaccess", "htaccess"),
        ("...hidden", "hidden"),
        ("-rf", "rf"),
        ("a.jpg. . ", "a.jpg"),
        ("a..b...jpg", "a.b.jpg"),
        ("$(touch x).jpg", "_(touch x).jpg"),
        ("a;b&c|d`e'f\"g.jpg", "a_b_c_d_e_f_g.jpg"),
        ("<script>.html", "_script_.html"),
        ("a*?.jpg", "a__.jpg"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("Nul .tar.gz", "_Nul .tar.gz"),
        ("COM\u00b9.log", "_COM1.log"),
        ("lpt0", "_lpt0"),
        ("console.txt", "console.txt"),
        ("\uff0e\uff0e\uff0fetc\uff0fpasswd", "passwd"),
        ("e\u0301.jpg", "\u00e9.jpg"),
        ("a\u00a0\u3000b.jpg", "a b.jpg"),
        ("a" * 300 + ".jpg", "a" * 124 + ".jpg"),
        ("\u00e9" * 300 + ".jpeg", "\u00e9" * 61 + ".jpeg"),
        ("a." + "b" * 300, "a." + "b" * 126),
        ("\ufdfa" * 100_000 + ".jpg", safe_name("\ufdfa" * 100 + ".jpg")),
    ],
)  # fmt: skip
def test_a_hostile_name_becomes_a_plain_one(given: object, expected: str) -> None:
    """Separators, drives, streams, devices, controls, bidi marks, leading dots and dashes, lengths: none is left."""
    assert safe_name(given) == expected


@given(ANY_NAMES)
def test_any_name_becomes_one_component_on_every_system(name: str) -> None:
    """It is one component without a drive, is no device, has at most 128 bytes, and is safe already."""
    safe = safe_name(name)
    assert safe
    assert len(safe.encode()) <= MAX_NAME_BYTES
    assert PureWindowsPath(safe).parts == (safe,) == PurePosixPath(safe).parts
    assert not PureWindowsPath(safe).drive
    assert not safe.startswith((".", "-", " "))
    assert not safe.endswith((".", " "))
    assert safe.isprintable()
    assert not any(unicodedata.category(char)[0] in "CS" for char in safe if char != "+")
    assert unicodedata.is_normalized("NFKC", safe)
    assert safe_name(safe) == safe


@given(st.lists(st.one_of(ANY_NAMES, st.sampled_from(["a.jpg", "A.JPG", "a-2.jpg", "x" * 400])), max_size=30))
def test_the_names_of_one_list_are_different_files(names: list[str]) -> None:
    """No two are equal without regard to case, all are safe, and a first one keeps its name."""
    safe = [safe_name(name) for name in names]
    distinct = distinct_names(safe)
    assert len({name.casefold() for name in distinct}) == len(names)
    assert [safe_name(name) for name in distinct] == distinct
    assert distinct[:1] == safe[:1]


def test_the_second_of_two_equal_names_gets_a_number() -> None:
    """The number stands before the extension; a name that is taken by then gets the next."""
    assert distinct_names(["a.jpg", "A.jpg", "a-2.jpg", "a.jpg", "b"]) == [
        "a.jpg", "A-2.jpg", "a-2-2.jpg", "a-3.jpg", "b",
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*is_reserved:DeprecationWarning")
def test_no_safe_name_is_reserved_on_windows() -> None:
    """The names that `PureWindowsPath` knows as devices are none after that."""
    digits = [f"{port}{digit}" for port in ("COM", "LPT") for digit in "123456789\u00b9\u00b2\u00b3"]
    for device in ("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", *digits):
        for name in (device, f"{device}.txt", f"{device} .txt", device.lower()):
            assert not PureWindowsPath(safe_name(name)).is_reserved(), name
