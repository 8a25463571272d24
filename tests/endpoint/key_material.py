"""Keys that the tests share: making one takes up to a tenth of a second, so each is made once in a process."""

from __future__ import annotations

from functools import cache

from whatsapp_flows.endpoint import KeyPair, PrivateKeys, generate_key_pair

_pairs = cache(lambda number: generate_key_pair())


def pair(number: int = 0) -> KeyPair:
    """One of a few key pairs."""
    return _pairs(number)


@cache
def private_keys(*numbers: int) -> PrivateKeys:
    """The parsed private keys of the pairs of these numbers; of pair 0 without numbers."""
    return PrivateKeys(*(pair(number).private_pem for number in numbers or (0,)))
