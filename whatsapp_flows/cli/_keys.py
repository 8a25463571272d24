"""`keys`: makes a key pair, registers its public half, and compares what is registered with the local key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import click
from rich.text import Text

from .._files import create_file
from .._inert import inert
from .._wire import Secret
from ..client import FlowsClient
from ..errors import ConfigurationError, FlowsError
from ._app import App
from ._json import Json, as_json, error_as_json
from ._local_keys import PASSWORD_VARIABLE, import_endpoint, password_in, public_pems
from ._options import Command, Group
from ._text import Lines, as_text, new_table, status_text
from ._values import Completed, Key, Value

_VALID: Final = "VALID"  # Meta's word for a key with a valid signature

Result = Literal["VALID", "MISMATCH", "other key", "no key", "failed"]
_ADVICE: Final[dict[Result, str]] = {
    "VALID": "",
    "MISMATCH": "Meta's signature of the key is not valid: register the key again.",
    "other key": "Another key is registered: register this one, or use the private key of the other one.",
    "no key": "No key is registered: register this one.",
}

keys = Group(name="keys", help="Make, register and check the encryption key of an endpoint.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated(Value):
    """A new key pair, whose private key is in a file."""

    file: Path
    public_pem: str
    encrypted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberKey:
    """
    What is registered for a phone number, compared with the local keys.

    `status` is Meta's word for the signature of the registered key; `index` says which of the local keys it is.
    """

    phone_number_id: str
    result: Result
    status: str = ""
    index: int | None = None
    error: FlowsError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReport(Value):
    """The keys of phone numbers: after they were registered, or checked."""

    numbers: Sequence[NumberKey]
    registered: bool = False

    @property
    def exit_code(self) -> int:
        """1 unless each number has a local key, validly signed."""
        return 0 if all(number.result == _VALID for number in self.numbers) else 1


@keys.command("generate", cls=Command, api=False)
@click.option("--out", metavar="FILE", required=True, help="Write the private key to this new file (mode 0600).")
@click.option("--encrypt", is_flag=True, help=f"Ask for a password, unless {PASSWORD_VARIABLE} is set.")
@click.pass_obj
def generate(app: App, out: str, encrypt: bool) -> Generated:
    """
    Make an RSA key pair and show its public half.

    An existing file is never replaced. With a password in WHATSAPP_FLOWS_PRIVATE_KEY_PASSWORD, the private key is
    encrypted.
    """
    endpoint = import_endpoint()
    path = Path(out)
    if path.exists() or path.is_symlink():
        raise ConfigurationError(f"{out} exists: an existing key is not replaced. Give the name of a new file.")
    password = password_in(app) or (_new_password(app) if encrypt else None)
    pair = endpoint.generate_key_pair(password)
    create_file(path, pair.private_pem.reveal().encode(), mode=0o600)
    return Generated(file=path, public_pem=pair.public_pem, encrypted=password is not None)


@keys.command()
@click.argument("file", metavar="FILE|-")
@click.option("--phone", "phones", metavar="ID", multiple=True, required=True, help="A phone number; repeatable.")
@click.pass_obj
def register(app: App, file: str, phones: tuple[str, ...]) -> KeyReport:
    """
    Register the public half of a key for phone numbers.

    FILE is a private key, which is never sent, or a public key. What Meta has then is read back.
    """
    (pem,) = public_pems(app, file)
    with app.client(app.progress_reporter()) as client:
        numbers = [_registered(client, phone, pem) for phone in dict.fromkeys(phones)]
    return KeyReport(numbers=numbers, registered=True)


@keys.command()
@click.argument("file", metavar="[FILE|-]", required=False)
@click.option("--phone", "phones", metavar="ID", multiple=True, help="A phone number; repeatable. Default: all.")
@click.pass_obj
def check(app: App, file: str | None, phones: tuple[str, ...]) -> KeyReport:
    """
    Compare the registered keys with the local one.

    FILE is a private or a public key. Without it, the keys of WHATSAPP_FLOWS_PRIVATE_KEY and
    WHATSAPP_FLOWS_PRIVATE_KEY_2 are used. Exits with 1 unless each phone number has one of them, validly signed.
    """
    local = public_pems(app, file)
    with app.client(app.progress_reporter(), account=not phones) as client:
        found = dict.fromkeys(phones or (number.id for number in client.list_phone_numbers()))
        if not found:
            raise ConfigurationError("the account has no phone numbers: give --phone.")
        return KeyReport(numbers=[_checked(client, phone, local) for phone in found])


@keys.command("get")
@click.argument("phone_number_id", metavar="PHONE_ID")
@click.pass_obj
def get_key(app: App, phone_number_id: str) -> Key:
    """Show the public key of a phone number."""
    with app.client(app.progress_reporter()) as client:
        return Key(phone_number_id=phone_number_id, key=client.get_public_key(phone_number_id))


@keys.command("set")
@click.argument("phone_number_id", metavar="PHONE_ID")
@click.argument("file", metavar="FILE|-")
@click.pass_obj
def set_key(app: App, phone_number_id: str, file: str) -> Completed:
    """Set the public key (PEM, RSA 2048) of a phone number."""
    pem = app.read(file)
    with app.client(app.progress_reporter()) as client:
        client.set_public_key(phone_number_id, pem)
    return Completed(done="set", id=phone_number_id, subject="the public key of phone number")


def _new_password(app: App) -> Secret:
    instead = f"set {PASSWORD_VARIABLE}"
    password = app.ask_hidden("Password of the private key", instead=instead)
    if not password.reveal():
        raise click.UsageError("the password is empty.")
    if not password.is_same(app.ask_hidden("The same again", instead=instead)):
        raise click.UsageError("the two passwords differ.")
    return password


# -- registered keys


def _registered(client: FlowsClient, phone: str, pem: str) -> NumberKey:
    try:
        client.set_public_key(phone, pem)
    except ConfigurationError:
        raise
    except FlowsError as error:
        return NumberKey(phone_number_id=phone, result="failed", error=error)
    return _checked(client, phone, [pem])


def _checked(client: FlowsClient, phone: str, local: Sequence[str]) -> NumberKey:
    try:
        key = client.get_public_key(phone)
    except ConfigurationError:
        raise
    except FlowsError as error:
        return NumberKey(phone_number_id=phone, result="failed", error=error)
    index = next((index for index, pem in enumerate(local) if _same(pem, key.pem)), None)
    result: Result = "no key"
    if key.pem.strip():
        result = "other key" if index is None else "VALID" if key.status == _VALID else "MISMATCH"
    return NumberKey(phone_number_id=phone, result=result, status=key.status, index=index)


def _same(pem: str, other: str) -> bool:
    """Whether two texts are of one public key; without the extra, only if both are SubjectPublicKeyInfo alone."""
    if _body(pem) == _body(other):
        return True
    try:
        from .._flow_crypto import read_public_key  # noqa: PLC0415 - needs the extra

        return read_public_key(Secret(pem)).der == read_public_key(Secret(other)).der
    except (ImportError, ConfigurationError):
        return False


def _body(pem: str) -> str:
    """The base64 of a public key: one key has one encoding (DER), whatever the white space of its PEM."""
    return "".join(re.sub(r"-----[A-Z ]*-----", "", pem).split())


# -- output


@as_text.register
def _(value: Generated) -> Lines:
    secrecy = "encrypted" if value.encrypted else "not encrypted"
    file = inert(str(value.file))
    yield Text(f"Wrote the private key to {file} (PKCS#8, RSA 2048, {secrecy}, mode 0600).")
    yield Text(f"Register its public half: whatsapp-flows keys register {file} --phone ID")
    yield Text(value.public_pem.rstrip())


@as_json.register
def _(value: Generated) -> Json:
    return {"file": str(value.file), "encrypted": value.encrypted, "public_pem": value.public_pem}


@as_text.register
def _(value: KeyReport) -> Lines:
    table = new_table("Phone number", "Result", "Advice")
    for number in value.numbers:
        table.add_row(Text(inert(number.phone_number_id)), status_text(number.result), Text(_advice(number)))
    yield table


def _advice(number: NumberKey) -> str:
    if number.error is not None:
        return inert(f"{number.error.user_message or number.error.message} {number.error.advice}".strip())
    if number.result == _VALID and number.index:
        return f"This is the older key (number {number.index + 1}): register the newest one."
    return _ADVICE[number.result]


@as_json.register
def _(value: KeyReport) -> Json:
    return {
        "ok": value.exit_code == 0,
        "phone_numbers": [
            {
                "phone_number_id": number.phone_number_id,
                "result": number.result,
                "status": number.status or None,
                "key_index": number.index,
                "advice": _advice(number) or None,
                "error": None if number.error is None else error_as_json(number.error),
            }
            for number in value.numbers
        ],
    }
