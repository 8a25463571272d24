"""Keys, requests and answers against OpenSSL's command line, Node's crypto and ssh-keygen, where they are installed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.endpoint.key_material import pair, private_keys
from whatsapp_flows import Secret
from whatsapp_flows._flow_crypto import read_public_key, seal_request
from whatsapp_flows.endpoint import PrivateKeys

PASSWORD = "pass-word-for-tests"

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")


def run(*command: str, stdin: bytes = b"") -> bytes:
    """The output of a tool; it finds the password in its environment."""
    done = subprocess.run(
        command, input=stdin, capture_output=True, check=False, timeout=60, env=os.environ | {"KEY_PASSWORD": PASSWORD}
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


SECRECY = ("-passout", "env:KEY_PASSWORD")
OPENSSL = {
    "genrsa of OpenSSL 3": ("rsa",),
    "genrsa of OpenSSL 1.1": ("rsa", "-traditional"),
    "genrsa -des3 of OpenSSL 3": ("rsa", "-des3", *SECRECY),
    "genrsa -aes256 of OpenSSL 3": ("rsa", "-aes256", *SECRECY),
    "genrsa -aes128 of OpenSSL 1.1": ("rsa", "-traditional", "-aes128", *SECRECY),
    "genrsa -aes192 of OpenSSL 1.1": ("rsa", "-traditional", "-aes192", *SECRECY),
    "genrsa -aes256 of OpenSSL 1.1": ("rsa", "-traditional", "-aes256", *SECRECY),
    "genrsa -des3 of OpenSSL 1.1": ("rsa", "-traditional", "-des3", *SECRECY),
    "pkcs8": ("pkcs8", "-topk8", "-nocrypt"),
    "pkcs8, aes-192": ("pkcs8", "-topk8", "-v2", "aes-192-cbc", *SECRECY),
    "pkcs8, SHA-512": ("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512", *SECRECY),
    "pkcs8, PBES1": ("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", *SECRECY),
    "pkcs8, scrypt": ("pkcs8", "-topk8", "-scrypt", *SECRECY),
    "pkey": ("pkey",),
}


@pytest.mark.slow
@needs_openssl
@pytest.mark.parametrize("name", OPENSSL)
def test_keys_as_openssl_writes_them(name: str) -> None:
    """PKCS#1 and PKCS#8, plain and with every cipher of the usual commands."""
    command = OPENSSL[name]
    pem = run("openssl", *command, stdin=pair().private_pem.reveal().encode())
    keys = PrivateKeys(pem, password=PASSWORD if "-passout" in command else None)
    assert keys.public_pems == (pair().public_pem,)


@pytest.mark.slow
@needs_ssh_keygen
@pytest.mark.parametrize("password", [None, PASSWORD])
@pytest.mark.parametrize("form", ["PEM", "PKCS8"])
def test_keys_as_ssh_keygen_writes_them(form: str, password: str | None, tmp_path: Path) -> None:
    """`ssh-keygen -m PEM`, and `-m PKCS8`; the key that it wrote is the one that was asked for."""
    file = tmp_path / "key"
    file.write_text(pair().private_pem.reveal())
    file.chmod(0o600)
    run("ssh-keygen", "-q", "-p", "-m", form, "-f", str(file), "-P", "", "-N", password or "")
    assert PrivateKeys(file.read_bytes(), password=password).public_pems == (pair().public_pem,)


@pytest.mark.slow
@needs_openssl
def test_the_key_of_a_request_is_unwrapped_and_wrapped_by_openssl(tmp_path: Path) -> None:
    """RSA-OAEP with SHA-256 for both hashes, in both directions."""
    options = [
        part
        for name in ("rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256")
        for part in ("-pkeyopt", name)
    ]
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    private.write_text(pair().private_pem.reveal())
    public.write_text(pair().public_pem)
    chosen = iter([bytes(range(16)), bytes(16)])
    body, _ = seal_request(read_public_key(Secret(pair().public_pem)), b"{}", random=lambda _: next(chosen))
    envelope = json.loads(body)
    wrapped = base64.b64decode(envelope["encrypted_aes_key"])
    assert run("openssl", "pkeyutl", "-decrypt", "-inkey", str(private), *options, stdin=wrapped) == bytes(range(16))
    wrapped = run("openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", str(public), *options, stdin=bytes(range(16)))
    envelope["encrypted_aes_key"] = base64.b64encode(wrapped).decode()
    assert private_keys().open(**envelope).plaintext == b"{}"


NODE = r"""
const crypto = require("crypto");
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const b64 = (text) => Buffer.from(text, "base64");
const oaep = (key) => ({key, padding: crypto.constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256"});
const flipped = (iv) => Buffer.from(iv.map((byte) => ~byte));
const seal = (key, iv, text) => {
  const cipher = crypto.createCipheriv("aes-128-gcm", key, iv);
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString("base64");
};
const open = (key, iv, text) => {
  const data = b64(text), decipher = crypto.createDecipheriv("aes-128-gcm", key, iv);
  decipher.setAuthTag(data.subarray(-16));
  return Buffer.concat([decipher.update(data.subarray(0, -16)), decipher.final()]).toString("utf8");
};
const private_key = crypto.createPrivateKey(given.private_pem);
const key = crypto.randomBytes(16), iv = crypto.randomBytes(16);
const ours = given.envelope, our_iv = b64(ours.initial_vector);
const our_key = crypto.privateDecrypt(oaep(private_key), b64(ours.encrypted_aes_key));
const exported = {};
for (const type of ["pkcs1", "pkcs8"]) {
  exported[type] = private_key.export({type, format: "pem"});
  for (const cipher of ["des-ede3-cbc", "aes-128-cbc", "aes-256-cbc"])
    exported[`${type} ${cipher}`] = private_key.export({type, format: "pem", cipher, passphrase: given.password});
}
console.log(JSON.stringify({
  exported,
  question: open(our_key, our_iv, ours.encrypted_flow_data),
  answer: seal(our_key, flipped(our_iv), given.text),
  envelope: {
    encrypted_aes_key: crypto.publicEncrypt(oaep(given.public_pem), key).toString("base64"),
    encrypted_flow_data: seal(key, iv, given.text),
    initial_vector: iv.toString("base64"),
  },
  expected: seal(key, flipped(iv), given.text),
}));
"""
TEXT = '{"name":"Zoë","note":"a/b"}'


@cache
def by_node() -> tuple[dict[str, Any], bytes]:
    """What Node makes of a request of the package, and its opened answer; one process for all tests."""
    body, channel = seal_request(read_public_key(Secret(pair().public_pem)), TEXT.encode())
    given = {
        "private_pem": pair().private_pem.reveal(),
        "public_pem": pair().public_pem,
        "password": PASSWORD,
        "envelope": json.loads(body),
        "text": TEXT,
    }
    made = json.loads(run("node", "-e", NODE, stdin=json.dumps(given).encode()))
    return made, channel.open(made["answer"].encode())


@pytest.mark.slow
@needs_node
@pytest.mark.xdist_group("node")
def test_node_reads_what_the_package_writes_and_the_other_way_round() -> None:
    """Requests and answers pass between the package and Node's crypto in both directions, byte for byte."""
    made, answered = by_node()
    assert made["question"] == TEXT
    assert answered == TEXT.encode()
    opened = private_keys().open(**made["envelope"])
    assert opened.plaintext == TEXT.encode()
    assert opened.channel.seal(TEXT.encode()) == made["expected"].encode()


@pytest.mark.slow
@needs_node
@pytest.mark.xdist_group("node")
def test_keys_as_node_writes_them() -> None:
    """`export` of PKCS#1 and PKCS#8, plain and with the ciphers that its documentation and Meta's generator use."""
    exported = by_node()[0]["exported"]
    assert len(exported) == 8
    for name, pem in exported.items():
        keys = PrivateKeys(pem, password=PASSWORD if " " in name else None)
        assert keys.public_pems == (pair().public_pem,), name
