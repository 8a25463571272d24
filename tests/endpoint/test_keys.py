"""Private keys: every shape of PEM, every fault with its own text, parsed once, and never shown."""

from __future__ import annotations

import base64
import copy
import hashlib
import os
import pickle
import threading
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.endpoint import plain_crypto
from tests.endpoint.key_material import pair, private_keys
from whatsapp_flows import ConfigurationError, FlowsClient, Secret
from whatsapp_flows._flow_crypto import read_private_key
from whatsapp_flows.endpoint import FlowEndpoint, KeyPair, PrivateKeys, RequestInfo, TenantKeys, generate_key_pair

PASSWORD = "pass-word-for-tests"
PEM = serialization.Encoding.PEM
BAG = "Bag Attributes\n    localKeyID: 01\nKey Attributes: <none>\n"


@cache
def plain(number: int = 0) -> str:
    return pair(number).private_pem.reveal()


@cache
def key(number: int = 0) -> rsa.RSAPrivateKey:
    found = serialization.load_pem_private_key(plain(number).encode(), None)
    assert isinstance(found, rsa.RSAPrivateKey)
    return found


@cache
def written(form: str, *, encrypted: bool = False) -> str:
    """The private key of pair 0 as PKCS#1, PKCS#8 or in OpenSSH's format."""
    formats = {
        "pkcs1": serialization.PrivateFormat.TraditionalOpenSSL,
        "pkcs8": serialization.PrivateFormat.PKCS8,
        "openssh": serialization.PrivateFormat.OpenSSH,
    }
    secrecy = serialization.BestAvailableEncryption(PASSWORD.encode()) if encrypted else serialization.NoEncryption()
    return key().private_bytes(PEM, formats[form], secrecy).decode()


@cache
def legacy(bits: int) -> str:
    """An encrypted PKCS#1 key as OpenSSL 1.1 and `-traditional` write it, made by the plain implementation."""
    der = base64.b64decode("".join(written("pkcs1").splitlines()[1:-1]))
    iv, secret = bytes(range(16)), b""
    while len(secret) < bits // 8:
        secret += hashlib.md5(secret[-16:] + PASSWORD.encode() + iv[:8], usedforsecurity=False).digest()
    data = base64.b64encode(plain_crypto.cbc_encrypt(secret[: bits // 8], iv, der)).decode()
    lines = [data[at : at + 64] for at in range(0, len(data), 64)]
    head = ["-----BEGIN RSA PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED", f"DEK-Info: AES-{bits}-CBC,{iv.hex().upper()}"]
    return "\n".join([*head, "", *lines, "-----END RSA PRIVATE KEY-----", ""])


def certificate() -> str:
    """What a certificate looks like to us: its label is enough."""
    return f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(bytes(300)).decode()}\n-----END CERTIFICATE-----\n"


SHAPES: dict[str, tuple[Callable[[], str], bool]] = {
    "PKCS#8": (plain, False),
    "PKCS#8, encrypted": (lambda: written("pkcs8", encrypted=True), True),
    "PKCS#1": (lambda: written("pkcs1"), False),
    "PKCS#1, AES-128": (lambda: legacy(128), True),
    "PKCS#1, AES-192": (lambda: legacy(192), True),
    "PKCS#1, AES-256": (lambda: legacy(256), True),
    "a certificate before it": (lambda: certificate() + plain(), False),
    "the public key behind it": (lambda: plain() + pair().public_pem, False),
    "bag attributes before it": (lambda: BAG + plain(), False),
}  # fmt: skip
DAMAGE: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "CRLF": lambda pem: pem.replace("\n", "\r\n"),
    "CR": lambda pem: pem.replace("\n", "\r"),
    r"literal \n": lambda pem: pem.replace("\n", r"\n"),
    r"literal \r\n": lambda pem: pem.replace("\n", r"\r\n"),
    r"literal \n, escaped again": lambda pem: pem.replace("\n", r"\\n"),
    r"literal \n before the line ends": lambda pem: pem.replace("\n", "\\n\n"),
    "spaces for line ends": lambda pem: pem.replace("\n", " "),
    "quotes around it": lambda pem: f'"{pem.strip()}"',
    "blank lines around it": lambda pem: f"\n\n  {pem}\n\n",
    "no line end at the end": str.rstrip,
    "indented": lambda pem: "".join(f"    {line}\n" for line in pem.splitlines()),
    "spaces at the ends of lines": lambda pem: pem.replace("\n", " \n"),
    "a byte-order mark": lambda pem: "\ufeff" + pem,
    "blank lines between": lambda pem: pem.replace("\n", "\n\n"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_a_pem_is_read_whatever_happened_to_its_white_space(shape: str, damage: str) -> None:
    """Each way to write the key, through each way in which it reaches a process, is the same key."""
    make, encrypted = SHAPES[shape]
    keys = PrivateKeys(DAMAGE[damage](make()), password=PASSWORD if encrypted else None)
    assert keys.public_pems == (pair().public_pem,)


def test_a_key_in_one_line_of_base64_is_read() -> None:
    """Lines longer than 64 characters, which some converters write."""
    first, *lines, last = plain().splitlines()
    assert PrivateKeys(f"{first}\n{''.join(lines)}\n{last}").public_pems == (pair().public_pem,)


@pytest.mark.parametrize("form", [str, str.encode, Secret], ids=["text", "bytes", "Secret"])
def test_keys_and_passwords_are_text_bytes_or_secret(form: Callable[[str], str]) -> None:
    """Every form of both arguments."""
    keys = PrivateKeys(form(written("pkcs8", encrypted=True)), password=form(PASSWORD))
    assert keys.matches(pair().public_pem) == 0


def test_one_password_is_for_the_keys_that_are_encrypted_and_a_list_for_each_its_own() -> None:
    """While an encrypted key replaces a plain one, or one with another password, both are read."""
    encrypted = written("pkcs8", encrypted=True)
    other = generate_key_pair("another-password")
    expected = (pair().public_pem, pair(1).public_pem)
    assert PrivateKeys(encrypted, plain(1), password=PASSWORD).public_pems == expected
    assert PrivateKeys(encrypted, plain(1), password=[PASSWORD, None]).public_pems == expected
    keys = PrivateKeys(other.private_pem, encrypted, password=["another-password", PASSWORD])
    assert keys.public_pems == (other.public_pem, pair().public_pem)


def pem_of(private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, form: str) -> str:
    secrecy = serialization.NoEncryption()
    return private.private_bytes(PEM, getattr(serialization.PrivateFormat, form), secrecy).decode()


@cache
def elliptic() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def small(bits: int = 1024) -> str:
    return pem_of(rsa.generate_private_key(65537, bits), "PKCS8")


def block(label: str, der: bytes = bytes(300)) -> str:
    return f"-----BEGIN {label}-----\n{base64.b64encode(der).decode()}\n-----END {label}-----\n"


def public_pkcs1() -> str:
    return key().public_key().public_bytes(PEM, serialization.PublicFormat.PKCS1).decode()


def ssh_public() -> str:
    form = serialization.PublicFormat.OpenSSH
    return key().public_key().public_bytes(serialization.Encoding.OpenSSH, form).decode()


def inconsistent() -> str:
    """A key whose modulus has a changed bit: it can be read, but its numbers do not belong together."""
    der = bytearray(base64.b64decode("".join(plain().splitlines()[1:-1])))
    der[60] ^= 1
    return block("PRIVATE KEY", bytes(der))


def ec_public() -> str:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return elliptic().public_key().public_bytes(PEM, spki).decode()


def rsa_public(bits: int) -> str:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return rsa.generate_private_key(65537, bits).public_key().public_bytes(PEM, spki).decode()


def every_other_line() -> str:
    return "".join([*plain().splitlines(keepends=True)[::2], "-----END PRIVATE KEY-----"])


# What was given -> (PEM, password, what the message finds, what it says to do).
FAULTS: dict[str, tuple[Callable[[], object], str | None, str, str]] = {
    "wrong password": (lambda: written("pkcs8", encrypted=True), "wrong-password", "the password is wrong", "Check"),
    "wrong password of PKCS#1": (lambda: legacy(256), "wrong-password", "the password is wrong", "Check"),
    "wrong password of AES-192": (lambda: legacy(192), "wrong-password", "the password is wrong", "Check"),
    "encrypted, no password": (lambda: written("pkcs8", encrypted=True), None, "and no password", "Give its"),
    "encrypted, empty password": (lambda: legacy(128), "", "is encrypted, and no password", "Give its password"),
    "plain, with a password": (plain, PASSWORD, "is not encrypted, and a password was given", "Leave the password out"),
    "elliptic curve": (lambda: pem_of(elliptic(), "PKCS8"), None, "an elliptic-curve key, not RSA", "generate"),
    "elliptic curve, SEC 1": (lambda: pem_of(elliptic(), "TraditionalOpenSSL"), None, "elliptic-curve", "generate"),
    "elliptic curve, parameters": (
        lambda: block("EC PARAMETERS") + pem_of(elliptic(), "TraditionalOpenSSL"), None, "elliptic-curve", "generate"
    ),
    "Ed25519": (
        lambda: pem_of(ed25519.Ed25519PrivateKey.generate(), "PKCS8"), None, "Ed25519, not RSA", "keys generate"
    ),
    "DSA": (lambda: block("DSA PRIVATE KEY"), None, "a DSA key", "keys generate"),
    "1024 bits": (small, None, "has 1024 bits, and Meta takes 2048", "keys generate"),
    "3072 bits": (lambda: small(3072), None, "has 3072 bits, and Meta takes 2048", "keys generate"),
    "a public key": (lambda: pair().public_pem, None, "is a public key", "Give the private key"),
    "a public key, PKCS#1": (public_pkcs1, None, "is a public key", "Give the private key"),
    "a public key of OpenSSH": (ssh_public, None, "is a public key in OpenSSH's format", "Give the private key"),
    "a certificate": (certificate, None, "is a certificate", "Give the private key"),
    "a certificate request": (lambda: block("CERTIFICATE REQUEST"), None, "is a certificate request", "Give the"),
    "OpenSSH's format": (lambda: written("openssh"), None, "in OpenSSH's own format", "ssh-keygen -p -m PEM"),
    "another block": (lambda: block("PGP MESSAGE"), None, "of the kind PGP MESSAGE", "keys generate"),
    "a path": (lambda: "/etc/keys/flow.pem", None, "is a path", "read_text"),
    "a relative path": (lambda: "key.pem", None, "is a path", "read_text"),
    "a path of Windows": (lambda: r"C:\new\keys\flow.pem", None, "is a path", "read_text"),
    "a Path": (lambda: Path("/etc/keys/flow.pem"), None, "a path is not a key", "read_text"),
    "nothing": (lambda: "", None, "is empty", "Give the text"),
    "white space": (lambda: " \n", None, "is empty", "Give the text"),
    "None": (lambda: None, None, "must be the text of a PEM, not NoneType", ""),
    "some text": (lambda: "my key", None, "is no PEM", "begins with a line"),
    "DER": (lambda: key().private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                        serialization.NoEncryption()), None, "is binary (DER)", "openssl pkey"),
    "base64 alone": (lambda: "".join(plain().splitlines()[1:-1]), None, "is base64 without its BEGIN", "both lines"),
    "base64 of the PEM": (lambda: base64.b64encode(plain().encode()), None, "is the base64 of a PEM", "Decode"),
    "no END line": (lambda: "\n".join(plain().splitlines()[:-1]), None, "is cut off", "Copy the whole file"),
    "an END line of another label": (
        lambda: plain().replace("END PRIVATE", "END RSA PRIVATE"), None, "is cut off", "Copy the whole file"
    ),
    "a letter that is not base64": (lambda: plain().replace("\nMII", "\nM*I"), None, "is damaged", "Copy"),
    "a letter missing": (lambda: plain().replace("\nMII", "\nMI"), None, "is damaged", "Copy the whole file"),
    "an empty block": (lambda: block("PRIVATE KEY", b""), None, "is damaged", "Copy the whole file"),
    "lines missing": (every_other_line, None, "is damaged", "Copy the whole file"),
    "numbers that do not fit": (inconsistent, None, "is damaged", "Copy the whole file"),
    "two private keys": (lambda: plain() + plain(1), None, "holds 2 private keys", "an argument of its own"),
    "a cipher of PKCS#1 that is not supported": (
        lambda: legacy(256).replace("AES-256", "CAMELLIA-256"), PASSWORD, "with CAMELLIA-256-CBC", "-v2 aes-256"
    ),
    "a cipher of PKCS#8 that is not supported": (
        lambda: block("ENCRYPTED PRIVATE KEY", bytes.fromhex("2a831a8c9a6e010103")), PASSWORD, "with ARIA", "-v2 aes"
    ),
    "a whole book": (lambda: "x" * 40_000, None, "is a text of 40000 characters", "Give the text of one"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_of_a_pem_says_what_was_found_and_what_to_do(name: str) -> None:
    """A `ConfigurationError` of its own, in which no part of the key or the password stands, nor in its traceback."""
    make, password, found, advice = FAULTS[name]
    given = make()
    with pytest.raises(ConfigurationError) as caught:
        PrivateKeys(given, password=password)  # type: ignore[arg-type]
    assert found in caught.value.message
    assert advice in caught.value.message
    secrets = [password] if password else []
    if isinstance(given, str) and "PRIVATE" in given:
        secrets += [line for line in given.splitlines() if len(line) > 40 and "-----" not in line and ":" not in line]
    assert_hidden(caught.value, *secrets)


def assert_hidden(error: BaseException, *secrets: str) -> None:
    """No text of the error, of what led to it, or of the package's frames with their variables, has a secret."""
    texts = [str(error), repr(error), *own_frames(error)]
    assert error.__context__ is None
    assert not [secret for secret in secrets if any(secret in text for text in texts)]


def own_frames(error: BaseException) -> Iterator[str]:
    for frame in traceback.TracebackException.from_exception(error, capture_locals=True).stack:
        if "whatsapp_flows" in frame.filename and "/tests/" not in frame.filename:
            yield str(frame.locals)


def test_the_message_names_the_key_that_is_wrong() -> None:
    """Of several keys, its number; from the environment, its variable."""
    with pytest.raises(ConfigurationError, match="private key 2 is a public key"):
        PrivateKeys(plain(), pair().public_pem)
    environ = {"WHATSAPP_FLOWS_PRIVATE_KEY": plain(), "WHATSAPP_FLOWS_PRIVATE_KEY_2": "x"}
    with pytest.raises(ConfigurationError, match=r"^WHATSAPP_FLOWS_PRIVATE_KEY_2 is no PEM"):
        PrivateKeys.from_env(environ)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (PrivateKeys, "at least one private key"),
        (lambda: PrivateKeys(plain(), password=[None, None]), "2 entries for 1 keys"),
        (lambda: PrivateKeys(plain(), plain(1), password=PASSWORD), "private key 1 is not encrypted"),
        (lambda: PrivateKeys(legacy(128), plain(1), password=[PASSWORD, PASSWORD]), "private key 2 is not encrypted"),
        (lambda: PrivateKeys(legacy(128), password=1), "password must be a string, not int"),  # type: ignore[arg-type]
        (lambda: PrivateKeys(legacy(128), password=[1]), "password must be a string, not int"),  # type: ignore[list-item]
    ],
)
def test_arguments_that_do_not_fit_are_refused(make: Callable[[], object], message: str) -> None:
    """No key, passwords for other keys, a password that no key uses, and one that is no text."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        make()
    assert_hidden(caught.value, PASSWORD, *plain().splitlines()[1:-1])


NAME = "WHATSAPP_FLOWS_PRIVATE_KEY"


def test_keys_are_read_from_the_environment() -> None:
    """One key, two while the first replaces the second, and their passwords; an empty variable counts as unset."""
    both = (pair().public_pem, pair(1).public_pem)
    other = generate_key_pair("another-password")
    assert PrivateKeys.from_env({NAME: plain().replace("\n", r"\n")}).public_pems == both[:1]
    assert PrivateKeys.from_env({NAME: plain(), f"{NAME}_2": "", f"{NAME}_PASSWORD": " "}).public_pems == both[:1]
    assert PrivateKeys.from_env({NAME: plain(), f"{NAME}_2": plain(1)}).public_pems == both
    encrypted = {NAME: legacy(256), f"{NAME}_PASSWORD": PASSWORD}
    assert PrivateKeys.from_env({**encrypted, f"{NAME}_2": plain(1)}).public_pems == both
    second = {f"{NAME}_2": other.private_pem.reveal(), f"{NAME}_2_PASSWORD": "another-password"}
    assert PrivateKeys.from_env({**encrypted, **second}).public_pems == (pair().public_pem, other.public_pem)
    assert PrivateKeys.from_env({NAME: plain(), **second}).public_pems == (pair().public_pem, other.public_pem)


@pytest.mark.parametrize("environ", [{}, {NAME: ""}, {NAME: " \n"}, {f"{NAME}_2": "x"}, {f"{NAME}_PASSWORD": PASSWORD}])
def test_without_its_variable_the_environment_has_no_key(environ: dict[str, str]) -> None:
    """The message names the variable; the frames show neither the password nor the rest of the environment."""
    with pytest.raises(ConfigurationError, match=f"{NAME} is not set") as caught:
        PrivateKeys.from_env({**environ, "OTHER_SECRET": "another-value"})
    assert_hidden(caught.value, PASSWORD, "another-value")


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """`from_env()` reads `os.environ`, and a client reads its own variables beside them."""
    monkeypatch.setattr(os, "environ", {NAME: plain(), f"{NAME}_2": plain(1)})
    assert PrivateKeys.from_env().public_pems == (pair().public_pem, pair(1).public_pem)
    FlowsClient.from_env({NAME: plain(), f"{NAME}_PASSWORD": PASSWORD, "WHATSAPP_FLOWS_ACCESS_TOKEN": "token"}).close()


def test_a_key_is_parsed_exactly_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parsing takes a hundred times as long as opening a request: it happens when the keys are made and not again."""
    parsed = counted_parses(monkeypatch)
    keys = PrivateKeys(plain(), plain(1))
    assert len(parsed) == 2
    for number in (0, 1, 0):
        keys.open(**plain_crypto.seal_request(pair(number).public_pem, b"{}").envelope)
        keys.matches(pair(number).public_pem)
    assert len(parsed) == 2


def counted_parses(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Grows by one for each PEM that the package cryptography parses."""
    parsed: list[bytes] = []
    load = serialization.load_pem_private_key

    def counting(data: bytes, password: bytes | None) -> object:
        parsed.append(hashlib.sha256(data).digest())
        return load(data, password)

    monkeypatch.setattr(serialization, "load_pem_private_key", counting)
    return parsed


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_public_key_is_found_whatever_its_white_space(damage: str) -> None:
    """What Meta returns is compared as a key and not as text; PKCS#1 is the same key too."""
    keys = private_keys(0, 1)
    assert keys.matches(DAMAGE[damage](pair(1).public_pem)) == 1
    assert keys.matches(DAMAGE[damage](public_pkcs1()).encode()) == 0
    assert keys.matches(pair(2).public_pem) is None


@pytest.mark.parametrize(
    ("make", "found", "advice"),
    [
        (plain, "is a private key", "openssl pkey -in key.pem -pubout"),
        (lambda: written("openssh"), "is a private key", "give the public key"),
        (lambda: pair().public_pem + plain(), "is a private key", "give the public key"),
        (certificate, "is a certificate", "openssl x509 -pubkey"),
        (lambda: "public.pem", "is a path", "read_text"),
        (lambda: "", "is empty", "Give the text"),
        (lambda: pair().public_pem + pair(1).public_pem, "holds 2 public keys", "Give one"),
        (lambda: block("PUBLIC KEY"), "is damaged", "Copy the whole file"),
        (ec_public, "an elliptic-curve key, not RSA", "generate"),
        (lambda: rsa_public(1024), "has 1024 bits", "keys generate"),
        (lambda: b"\xff", "binary", "openssl pkey"),
    ],
)
def test_what_is_no_public_key_of_meta_is_refused(make: Callable[[], str], found: str, advice: str) -> None:
    """A private key where a public one belongs, above all."""
    with pytest.raises(ConfigurationError) as caught:
        private_keys().matches(make())
    assert found in caught.value.message
    assert advice in caught.value.message
    assert_hidden(caught.value, *plain().splitlines()[1:-1])


def test_a_generated_pair_is_pkcs8_and_spki_of_2048_bits() -> None:
    """The private key is a `Secret`; with a password it is encrypted, and opens with that password alone."""
    assert plain().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert pair().public_pem.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert key().key_size == 2048
    assert key().public_key().public_numbers().e == 65537
    secret = generate_key_pair("pä55")
    assert secret.private_pem.reveal().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert PrivateKeys(secret.private_pem, password="pä55").matches(secret.public_pem) == 0
    assert pair().public_pem != pair(1).public_pem


def test_neither_keys_nor_pairs_are_shown_or_pickled() -> None:
    """No repr, pickle or deep copy has the key; only `reveal()` gives it."""
    for secret in (private_keys(), pair()):
        assert "MII" not in repr(secret).replace(pair().public_pem, "").replace(repr(pair().public_pem), "")
        for attempt in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError, match="not pickled"):
                attempt(secret)
    opened = read_private_key(pair().private_pem)
    assert repr(opened) == "<OpeningKey: RSA 2048>"
    assert repr(opened.public) == "<SealingKey: RSA 2048>"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(opened)
    assert repr(private_keys(0, 1)) == "PrivateKeys(<2 of RSA 2048>)"
    assert isinstance(pair(), KeyPair)
    assert len(private_keys(0, 1)) == 2


# Many tenants


def test_a_tenants_key_is_parsed_once_and_a_replaced_one_counts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lookup is asked for each request; its texts are parsed when they are new."""
    stored: dict[str, object] = {"a": plain(), "b": [plain(1), plain(2)], "c": private_keys(2)}
    parsed = counted_parses(monkeypatch)
    tenants: TenantKeys[str] = TenantKeys(stored.__getitem__)  # type: ignore[arg-type]
    for _ in range(3):
        assert tenants.keys_of("a").public_pems == (pair().public_pem,)
        assert tenants.keys_of("b").public_pems == (pair(1).public_pem, pair(2).public_pem)
        assert tenants.keys_of("c") is stored["c"]
    assert len(parsed) == 3
    stored["a"] = plain(1).encode()
    assert tenants.keys_of("a").public_pems == (pair(1).public_pem,)
    assert len(parsed) == 4


def test_the_keys_of_at_most_so_many_tenants_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenant that was not seen for longest is dropped, and parsed again when it comes back."""
    parsed = counted_parses(monkeypatch)
    tenants: TenantKeys[int] = TenantKeys(plain, most=2)
    for number in (0, 1, 0, 2, 0, 1):
        tenants.keys_of(number)
    assert len(parsed) == 4  # 0, 1, 2, and 1 again
    assert len(tenants) == 2
    assert repr(tenants) == "TenantKeys(<2 of at most 2 tenants>)"


def test_threads_that_need_the_same_key_get_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request of a tenant may come many times at once: each may parse the text, and one result is kept."""
    parsed = counted_parses(monkeypatch)
    tenants: TenantKeys[int] = TenantKeys(plain)
    start = threading.Barrier(4)

    def ask() -> None:
        start.wait()
        found.append(tenants.keys_of(0))

    found: list[PrivateKeys] = []
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(parsed) <= 4
    assert len(found) == 4
    assert {id(keys) for keys in found} == {id(tenants.keys_of(0))}


def test_a_known_tenant_does_not_wait_for_a_new_one() -> None:
    """While a text is parsed, which here ends after another tenant's request, the keys that are kept are at hand."""
    inside, leave = threading.Event(), threading.Event()

    class Slow(Secret):
        """A text whose second reading, that of the parser, lasts."""

        readings = 0

        def reveal(self) -> str:
            self.readings += 1
            if self.readings > 1:
                inside.set()
                assert leave.wait(30)
            return super().reveal()

    stored: dict[str, Secret] = {"known": Secret(plain()), "new": Slow(plain(1))}
    tenants: TenantKeys[str] = TenantKeys(stored.__getitem__)
    tenants.keys_of("known")
    thread = threading.Thread(target=tenants.keys_of, args=("new",))
    thread.start()
    try:
        assert inside.wait(30)
        answered = threading.Thread(target=tenants.keys_of, args=("known",))
        answered.start()
        answered.join(30)
        assert not answered.is_alive()
    finally:
        leave.set()
        thread.join()
    assert len(tenants) == 2


def test_what_is_no_lookup() -> None:
    """A dictionary, and an asynchronous function, are the caller's mistake."""

    async def later(name: str) -> str:
        return plain()

    lookups: list[Any] = [{}, later, None]
    for lookup in lookups:
        with pytest.raises(ConfigurationError, match="lookup must be a plain callable"):
            TenantKeys(lookup)


def test_an_endpoint_takes_the_keys_of_tenants() -> None:
    """As they are, so that `most` and `password` can be chosen."""
    tenants: TenantKeys[RequestInfo] = TenantKeys(lambda info: legacy(256), password=PASSWORD)
    target = FlowEndpoint(tenants, verify_signature=False)
    request = plain_crypto.seal_request(pair().public_pem, b'{"version":"3.0","action":"ping"}')
    answer = target.receive(request.body, {})
    assert plain_crypto.open_answer(request, answer.body) == b'{"data":{"status":"active"}}'
    assert len(tenants) == 1


def test_a_tenants_fault_is_named_and_its_password_is_shared() -> None:
    """A text that is no key is a `ConfigurationError` of that request; encrypted texts share a password."""
    tenants: TenantKeys[str] = TenantKeys({"a": legacy(256), "b": "x"}.__getitem__, password=PASSWORD)
    assert tenants.keys_of("a").public_pems == (pair().public_pem,)
    with pytest.raises(ConfigurationError, match="is no PEM"):
        tenants.keys_of("b")
    with pytest.raises(ConfigurationError, match="most must be a whole number above 0"):
        TenantKeys(plain, most=0)
