"""The private keys of an endpoint: parsed once, tried in turn; and those of many tenants."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Generic, NoReturn, TypeVar

from .._dataclasses import dataclass, field
from .._flow_crypto import (
    OpenedRequest,
    OpeningKey,
    make_key_pair,
    not_decrypted,
    open_envelope,
    read_private_key,
    read_public_key,
)
from .._forks import Mutex
from .._inspection import is_coroutine_function
from .._wire import Secret, check_count
from ..errors import ConfigurationError

Text = str | bytes | Secret
Info = TypeVar("Info")
Lookup = Callable[[Info], "PrivateKeys | Text | Sequence[Text] | None"]

_VARIABLE: Final = "WHATSAPP_FLOWS_PRIVATE_KEY"
_SECOND: Final = f"{_VARIABLE}_2"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A private key (PKCS#8, for the endpoint alone) and its public key (for Meta), both PEM, RSA 2048."""

    private_pem: Secret = field(repr=False)
    public_pem: str


def generate_key_pair(password: Text | None = None) -> KeyPair:
    """A new RSA-2048 key pair; the private key is encrypted if there is a password."""
    private_pem, public_pem = make_key_pair(_password(password))
    return KeyPair(private_pem=private_pem, public_pem=public_pem)


class PrivateKeys:
    """
    The private keys of an endpoint in PEM, the newest first; parsed here, once, which takes some 50 ms a key.

    A key that was replaced stays behind the new one until no client uses it any more: a client keeps the public key
    that it knows until it is answered 421. `password` is for those of the keys that are encrypted; a list has one, or
    None, for each key. Raises `ConfigurationError`, which says what was found and what to do, and never shows a key.

        keys = PrivateKeys(Path("key.pem").read_text(), Path("older.pem").read_text())
    """

    __slots__ = ("_keys",)

    def __init__(self, *pems: Text, password: Text | Sequence[Text | None] | None = None) -> None:
        self._keys: tuple[OpeningKey, ...] = ()
        # Rebound, so that no local variable of this frame shows a key or a password.
        texts, password = [_secret(pem) for pem in pems], _passwords(password)
        del pems
        self._keys = _parsed(texts, password, _names(len(texts)))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> PrivateKeys:
        """
        The key of `WHATSAPP_FLOWS_PRIVATE_KEY` and, while it is being replaced, the older one of `..._PRIVATE_KEY_2`.

        `..._PRIVATE_KEY_PASSWORD` is the password of those that are encrypted; `..._PRIVATE_KEY_2_PASSWORD` is for an
        older key with another one. An empty variable counts as unset. `environ` is `os.environ` unless it is given.
        """
        given = {name: Secret(value) for name, value in _variables(os.environ if environ is None else environ)}
        del environ
        if _VARIABLE not in given:
            raise ConfigurationError(f"{_VARIABLE} is not set: put the text of the private key (PEM) into it.")
        names = [name for name in (_VARIABLE, _SECOND) if name in given]
        first = given.get(f"{_VARIABLE}_PASSWORD")
        second = given.get(f"{_SECOND}_PASSWORD")
        passwords = first if second is None else [first, second]
        found = object.__new__(cls)
        found._keys = _parsed([given[name] for name in names], passwords, names)
        return found

    @property
    def public_pems(self) -> tuple[str, ...]:
        """The public key of each private key, in PEM; the first is the one to register with Meta."""
        return tuple(key.public.pem for key in self._keys)

    def matches(self, public_pem: str | bytes) -> int | None:
        """
        The index of the private key that a public key belongs to, whatever its white space; None for another one.

        Raises `ConfigurationError` if it is no public key of RSA 2048.
        """
        pem = _secret(public_pem)
        del public_pem  # it may be a private key, which no local variable of this frame is to show
        der = read_public_key(pem).der
        return next((index for index, key in enumerate(self._keys) if key.public.der == der), None)

    def open(self, encrypted_aes_key: str, encrypted_flow_data: str, initial_vector: str) -> OpenedRequest:
        """Decrypt the three base64 texts of a request. Raises `DecryptionError`, with one message for every fault."""
        return open_envelope(self._keys, encrypted_aes_key, encrypted_flow_data, initial_vector)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"PrivateKeys(<{len(self._keys)} of RSA 2048>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("private keys are not pickled: give the other process its own way to get the PEM")


class TenantKeys(Generic[Info]):
    """
    The private keys of many tenants, by a callable that finds those of one request.

    `lookup` may return `PrivateKeys`, or the text of a PEM, or several, or None for a tenant that is unknown. Texts are
    parsed once, and the parsed keys of the `most` tenants that were seen last are kept, by the SHA-256 of their text: a
    replaced key counts at once. Nobody waits while others' keys are parsed, so threads that meet a new text at the same
    time may each parse it; all get the same keys. `FlowEndpoint(keys=...)` takes it, or `lookup` alone.
    `password` is that of the texts that are encrypted; for passwords of their own, return `PrivateKeys` that you keep.
    """

    def __init__(self, lookup: Lookup[Info], *, password: Text | None = None, most: int = 1000) -> None:
        check_count("most", most)
        if not callable(lookup) or is_coroutine_function(lookup):
            raise ConfigurationError("lookup must be a plain callable that returns the keys of a tenant.")
        self._lookup = lookup
        self._password = _password(password)
        self._most = most
        self._parsed: OrderedDict[bytes, PrivateKeys] = OrderedDict()
        self._lock = Mutex()

    def keys_of(self, info: Info) -> PrivateKeys:
        """
        The keys for one request.

        Raises `DecryptionError` if `lookup` returns None, `ConfigurationError` for a text that is no key, and what
        `lookup` raises.
        """
        found = self._lookup(info)
        if isinstance(found, PrivateKeys):
            return found
        if found is None:
            raise not_decrypted("unknown-tenant")
        pems = [_secret(pem) for pem in ((found,) if isinstance(found, (str, bytes, Secret)) else found)]
        del found
        texts = (pem.reveal().encode("utf-8", "surrogatepass") for pem in pems)
        name = hashlib.sha256(b"\0".join(texts)).digest()
        with self._lock:
            if name in self._parsed:
                self._parsed.move_to_end(name)
                return self._parsed[name]
        new = PrivateKeys(*pems, password=self._password)
        with self._lock:
            kept = self._parsed.setdefault(name, new)
            self._parsed.move_to_end(name)
            if len(self._parsed) > self._most:
                self._parsed.popitem(last=False)
        return kept

    def __len__(self) -> int:
        return len(self._parsed)

    def __repr__(self) -> str:
        return f"TenantKeys(<{len(self._parsed)} of at most {self._most} tenants>)"


def _parsed(
    pems: Sequence[Secret], passwords: Secret | Sequence[Secret | None] | None, names: Sequence[str]
) -> tuple[OpeningKey, ...]:
    """The keys. One password is for those that are encrypted; of several, each is for its own key."""
    if not pems:
        raise ConfigurationError("PrivateKeys needs at least one private key (PEM).")
    shared = passwords is None or isinstance(passwords, Secret)
    each = [passwords] * len(pems) if passwords is None or isinstance(passwords, Secret) else passwords
    if len(each) != len(pems):
        raise ConfigurationError(f"password has {len(each)} entries for {len(pems)} keys: give one, or None, for each.")
    keys = tuple(
        read_private_key(pem, password, name=name) for pem, password, name in zip(pems, each, names, strict=True)
    )
    unused = [name for name, password, key in zip(names, each, keys, strict=True) if password and not key.encrypted]
    if unused and (not shared or len(unused) == len(keys)):
        raise ConfigurationError(f"{unused[0]} is not encrypted, and a password was given. Leave the password out.")
    return keys


def _names(count: int) -> list[str]:
    return ["the private key"] if count == 1 else [f"private key {number}" for number in range(1, count + 1)]


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in (_VARIABLE, _SECOND):
        for variable in (name, f"{name}_PASSWORD"):
            if environ.get(variable, "").strip():
                yield variable, environ[variable]


def _secret(pem: object) -> Secret:
    """The text of a PEM as a `Secret`."""
    found = _as_text(pem)
    del pem
    if isinstance(found, str):
        raise ConfigurationError(found)
    return found


def _as_text(pem: object) -> Secret | str:
    """The text, or what is wrong with its type."""
    if isinstance(pem, os.PathLike):
        return "a path is not a key. Give the text of the file: Path(...).read_text()"
    if isinstance(pem, Secret):
        return pem
    if isinstance(pem, str):
        return Secret(pem)
    if not isinstance(pem, bytes):
        return f"a key must be the text of a PEM, not {type(pem).__name__}."
    try:
        return Secret(pem.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "a key must be the text of a PEM; this is binary (DER). Convert it: openssl pkey -inform DER -in key.der"


def _password(password: object) -> Secret | None:
    """A password as a `Secret`; an empty one, as an unset variable gives, counts as none."""
    if password is None or isinstance(password, Secret):
        return password if password and password.reveal() else None
    if isinstance(password, (str, bytes)):
        text = password if isinstance(password, str) else password.decode("utf-8", "surrogateescape")
        return Secret(text) if text else None
    raise ConfigurationError(f"password must be a string, not {type(password).__name__}.")


def _passwords(password: object) -> Secret | list[Secret | None] | None:
    return [_password(one) for one in password] if isinstance(password, (list, tuple)) else _password(password)
