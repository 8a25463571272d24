"""`keys generate`, `keys register` and `keys check`: the private key stays here, and the public half is compared."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from tests.cli.support import PUBLIC_KEY, CommandLine
from tests.endpoint.key_material import pair
from whatsapp_flows.cli._local_keys import PASSWORD_VARIABLE, VARIABLE
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.endpoint import PrivateKeys, generate_key_pair

if sys.platform != "win32":
    from tests.cli.terminal import Terminal

PASSWORD = "pass-word-for-tests"
SECOND = "20200000000000002"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A file with a private key."""
    path = tmp_path / "key.pem"
    path.write_text(pair().private_pem.reveal())
    return path


@pytest.fixture
def encrypted(tmp_path: Path) -> Path:
    """A file with an encrypted private key."""
    path = tmp_path / "encrypted.pem"
    path.write_text(generate_key_pair(PASSWORD).private_pem.reveal())
    return path


def results(cli: CommandLine, *argv: object, **more: Any) -> dict[str, tuple[str, str | None, int | None]]:
    """Phone number -> (result, Meta's status, index of the local key)."""
    rows = cli("keys", *argv, "--json", **more).json["phone_numbers"]
    return {row["phone_number_id"]: (row["result"], row["status"], row["key_index"]) for row in rows}


# generate


def test_a_pair_is_made_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    """Mode 0600; the public half and the next command are shown, the private key is not."""
    file = tmp_path / "key.pem"
    outcome = CommandLine()("keys", "generate", "--out", file)
    keys = PrivateKeys(file.read_text())
    assert outcome.code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert outcome.out == (
        f"Wrote the private key to {file} (PKCS#8, RSA 2048, not encrypted, mode 0600).\n"
        f"Register its public half: whatsapp-flows keys register {file} --phone ID\n{keys.public_pems[0]}"
    )
    assert not [line for line in file.read_text().splitlines()[1:-1] if line in outcome.out + outcome.err]


def test_the_password_comes_from_the_environment(tmp_path: Path) -> None:
    """Never from an argument, which the process list would show."""
    file = tmp_path / "key.pem"
    outcome = CommandLine()("keys", "generate", "--out", file, "--json", env={PASSWORD_VARIABLE: PASSWORD})
    keys = PrivateKeys(file.read_text(), password=PASSWORD)
    assert outcome.json == {"file": str(file), "encrypted": True, "public_pem": keys.public_pems[0]}
    assert PASSWORD not in outcome.out


@pytest.mark.parametrize("target", ["file", "link", "dangling link", "folder"])
def test_nothing_that_exists_is_replaced(tmp_path: Path, target: str) -> None:
    """A key that is in use cannot be lost."""
    path = tmp_path / "key.pem"
    (tmp_path / "other").write_text("content")
    if target == "file":
        path.write_text("content")
    elif target == "folder":
        path.mkdir()
    else:
        path.symlink_to("other" if target == "link" else "missing")
    outcome = CommandLine()("keys", "generate", "--out", path)
    assert (outcome.code, outcome.out) == (2, "")
    assert f"{path} exists: an existing key is not replaced." in outcome.err
    assert (tmp_path / "other").read_text() == "content"
    assert not (tmp_path / "missing").exists()


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A usage error."""
    outcome = CommandLine()("keys", "generate", "--out", tmp_path / "no" / "key.pem")
    assert outcome.code == 2
    assert "key.pem cannot be written: No such file or directory." in outcome.err


def test_without_a_terminal_a_password_is_not_asked_for(tmp_path: Path) -> None:
    """The message names the variable, and no key is written."""
    outcome = CommandLine()("keys", "generate", "--encrypt", "--out", tmp_path / "key.pem", stdin="secret\nsecret\n")
    assert outcome.code == 2
    assert f"there is no terminal to ask for the password: set {PASSWORD_VARIABLE}." in outcome.err
    assert not list(tmp_path.iterdir())


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A pseudo-terminal."""
    with Terminal() as made:
        yield made


def test_a_password_is_asked_for_twice_and_not_shown(terminal: Terminal, tmp_path: Path) -> None:
    """On a terminal; what is typed does not appear, and the terminal shows typed text again afterwards."""
    terminal.start("keys", "generate", "--encrypt", "--out", tmp_path / "key.pem")
    terminal.until("Password of the private key:")
    terminal.press(f"{PASSWORD}\n")
    terminal.until("The same again:")
    terminal.press(f"{PASSWORD}\n")
    assert terminal.end() == 0
    assert PASSWORD not in terminal.text
    assert "encrypted, mode 0600" in terminal.text.replace("\n", " ")
    assert len(PrivateKeys((tmp_path / "key.pem").read_text(), password=PASSWORD)) == 1
    terminal.press("visible")
    terminal.until("visible")


@pytest.mark.parametrize(
    ("first", "second", "message"), [("", None, "the password is empty"), ("one", "two", "the two passwords differ")]
)
def test_a_mistyped_password_makes_no_key(
    terminal: Terminal, tmp_path: Path, first: str, second: str | None, message: str
) -> None:
    """An empty one, and two that differ."""
    terminal.start("keys", "generate", "--encrypt", "--out", tmp_path / "key.pem")
    terminal.until("Password of the private key:")
    terminal.press(f"{first}\n")
    if second is not None:
        terminal.until("The same again:")
        terminal.press(f"{second}\n")
    assert terminal.end() == 2
    assert message in terminal.text
    assert not list(tmp_path.iterdir())


# register


def test_the_public_half_is_registered_for_each_number(cli: CommandLine, meta: Emulator, key: Path) -> None:
    """The private key is not sent; what Meta has is read back, and shown in a table."""
    meta.add_phone_number(SECOND)
    outcome = cli("keys", "register", key, "--phone", meta.phone_number_id, "--phone", SECOND, "--phone", SECOND)
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "Phone number       Result  Advice",
        f"{meta.phone_number_id}  VALID",
        f"{SECOND}  VALID",
    ]
    assert [request.method for request in meta.requests] == ["POST", "GET"] * 2
    sent = b"".join(request.body for request in meta.requests)
    assert b"PRIVATE" not in sent
    assert b"BEGIN PUBLIC KEY" in sent
    assert cli("keys", "get", SECOND).out.partition("\n")[2] == pair().public_pem


def test_a_public_key_is_registered_as_it_is(cli: CommandLine, meta: Emulator) -> None:
    """From stdin, too."""
    assert results(cli, "register", "-", "--phone", meta.phone_number_id, stdin=PUBLIC_KEY) == {
        meta.phone_number_id: ("VALID", "VALID", 0)
    }


def test_an_encrypted_key_is_opened_for_its_public_half(cli: CommandLine, meta: Emulator, encrypted: Path) -> None:
    """With the password of the environment; without it and without a terminal, nothing is sent."""
    command = ("register", encrypted, "--phone", meta.phone_number_id)
    outcome = cli("keys", *command)
    assert (outcome.code, len(meta.requests)) == (2, 0)
    assert f"there is no terminal to ask for the password: set {PASSWORD_VARIABLE}." in outcome.err
    outcome = cli("keys", *command, env={PASSWORD_VARIABLE: "wrong-password"})
    assert (outcome.code, len(meta.requests)) == (2, 0)
    assert f"{encrypted}: the private key cannot be decrypted: the password is wrong" in outcome.err
    assert results(cli, *command, env={PASSWORD_VARIABLE: PASSWORD}) == {meta.phone_number_id: ("VALID", "VALID", 0)}


def test_the_password_of_an_encrypted_key_is_asked_for(terminal: Terminal, meta: Emulator, encrypted: Path) -> None:
    """On a terminal."""
    terminal.env |= {"WHATSAPP_FLOWS_ACCESS_TOKEN": "the-token", "WHATSAPP_FLOWS_BASE_URL": meta.url}
    terminal.start("keys", "register", encrypted, "--phone", meta.phone_number_id)
    terminal.until("Password of")
    terminal.press(f"{PASSWORD}\n")
    assert terminal.end() == 0
    assert PASSWORD not in terminal.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("my key", "is no PEM"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is damaged"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "2048-bit"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "in OpenSSH's own format"),
    ],
)
def test_what_is_no_key_is_not_sent(
    cli: CommandLine, meta: Emulator, tmp_path: Path, content: str, message: str
) -> None:
    """The message says what the file is."""
    (tmp_path / "file").write_text(content)
    outcome = cli("keys", "register", tmp_path / "file", "--phone", meta.phone_number_id)
    assert (outcome.code, len(meta.requests)) == (2, 0)
    assert message in outcome.err


def test_a_number_that_fails_does_not_keep_the_others_from_their_key(
    cli: CommandLine, meta: Emulator, key: Path
) -> None:
    """Its error and advice are shown in its row, and the exit code is 1."""
    outcome = cli("keys", "register", key, "--phone", "999", "--phone", meta.phone_number_id)
    assert outcome.code == 1
    rows = outcome.out.splitlines()
    assert rows[1].startswith("999                failed  ")
    assert rows[2] == f"{meta.phone_number_id}  VALID"
    report = cli("keys", "register", key, "--phone", "999", "--json").json
    assert report["ok"] is False
    assert report["phone_numbers"][0]["error"]["class"] == "NotFoundError"


def test_a_phone_number_is_needed(cli: CommandLine, meta: Emulator, key: Path) -> None:
    """And one that cannot be an id is a usage error."""
    assert "Missing option '--phone'" in cli("keys", "register", key).err
    assert cli("keys", "register", key, "--phone", "+49 170").code == 2
    assert cli("keys", "check", key, "--phone", "+49 170").code == 2
    assert not meta.requests


# check


def test_the_registered_keys_are_compared_with_the_local_one(cli: CommandLine, meta: Emulator, key: Path) -> None:
    """Of all numbers of the account: no key, another key, a signature that is not valid any more, and this key."""
    first = meta.phone_number_id
    for number in ("2", "3", "4"):
        meta.add_phone_number(number)
    cli("keys", "set", "2", "-", stdin=PUBLIC_KEY)
    cli("keys", "register", key, "--phone", "3", "--phone", "4")
    meta.register_again("3")
    outcome = cli("keys", "check", key)
    assert outcome.code == 1
    assert results(cli, "check", key) == {
        first: ("no key", "MISMATCH", None),
        "2": ("other key", "VALID", None),
        "3": ("MISMATCH", "MISMATCH", 0),
        "4": ("VALID", "VALID", 0),
    }
    rows = [line.split(maxsplit=1)[1].split("  ", 1) for line in outcome.out.splitlines()[1:] if "  " in line]
    assert [[word.strip() for word in row] for row in rows] == [
        ["no key", "No key is registered: register this one."],
        ["other key", "Another key is registered: register this one, or use the private key of the other one."],
        ["MISMATCH", "Meta's signature of the key is not valid: register the key again."],
        ["VALID"],
    ]
    cli("keys", "register", key, "--phone", first, "--phone", "2", "--phone", "3")
    assert cli("keys", "check", key).code == 0
    assert cli("keys", "check", key, "--json").json["ok"] is True


def test_one_number_is_checked_without_the_account(cli: CommandLine, meta: Emulator, key: Path) -> None:
    """`--phone` needs no account id; a public key can be compared, too; an error of Meta is a row."""
    cli("keys", "register", key, "--phone", meta.phone_number_id)
    cli.env = {name: value for name, value in cli.env.items() if name != "WHATSAPP_FLOWS_WABA_ID"}
    assert results(cli, "check", key, "--phone", meta.phone_number_id)[meta.phone_number_id][0] == "VALID"
    public = pair().public_pem.replace("\n", "\r\n")
    assert results(cli, "check", "-", "--phone", meta.phone_number_id, stdin=public)[meta.phone_number_id][0] == "VALID"
    assert results(cli, "check", key, "--phone", "999") == {"999": ("failed", None, None)}
    assert "no WhatsApp Business Account" in cli("keys", "check", key).err


def test_a_public_key_is_recognized_in_each_of_its_forms(cli: CommandLine, meta: Emulator, key: Path) -> None:
    """PKCS#1 (BEGIN RSA PUBLIC KEY), and with text around the PEM, as tools write it; another key is another one."""
    cli("keys", "register", key, "--phone", meta.phone_number_id)
    for number, result in ((0, "VALID"), (1, "other key")):
        public = serialization.load_pem_public_key(pair(number).public_pem.encode())
        pkcs1 = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1).decode()
        for text in (pkcs1, f"Modulus (2048 bit)\n{pair(number).public_pem}the end\n"):
            found = results(cli, "check", "-", "--phone", meta.phone_number_id, stdin=text)
            assert found[meta.phone_number_id][0] == result


def test_the_keys_of_the_environment_are_checked(cli: CommandLine, meta: Emulator, key: Path) -> None:
    """Both, while one replaces the other: the older one still opens requests, and the newest should be registered."""
    env = {VARIABLE: pair(1).private_pem.reveal(), f"{VARIABLE}_2": pair().private_pem.reveal()}
    cli("keys", "register", key, "--phone", meta.phone_number_id)
    outcome = cli("keys", "check", env=env)
    assert outcome.code == 0
    assert "This is the older key (number 2): register the newest one." in outcome.out
    assert results(cli, "check", env=env) == {meta.phone_number_id: ("VALID", "VALID", 1)}
    assert cli("keys", "check", env={VARIABLE: env[VARIABLE]}).code == 1


@pytest.mark.parametrize(
    ("env", "message"),
    [({}, f"no key: give FILE, or set {VARIABLE}."), ({VARIABLE: "x"}, f"{VARIABLE} is no PEM.")],
)
def test_without_a_key_there_is_nothing_to_check(
    cli: CommandLine, meta: Emulator, env: dict[str, str], message: str
) -> None:
    """A usage error, before anything is sent."""
    outcome = cli("keys", "check", env=env)
    assert (outcome.code, len(meta.requests)) == (2, 0)
    assert message in outcome.err


def test_an_account_without_numbers_has_nothing_to_check(cli: CommandLine, meta: Emulator, key: Path) -> None:
    """A usage error, and not a success."""
    meta.add_account("77")
    outcome = cli("keys", "check", key, "--waba-id", "77")
    assert outcome.code == 2
    assert "the account has no phone numbers: give --phone." in outcome.err
