"""
Requests of real clients that pywa has published in its tests (`tests/test_server.py`, secrets since revoked).

Nothing of them is in this repository: they are read from pywa's sources, as literals, without running them.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from typing import Any

from tests.interop.sources import PYWA
from whatsapp_flows.endpoint import FlowEndpoint, FlowRequest, PrivateKeys, Show
from whatsapp_flows.media import encrypted_media, open_media
from whatsapp_flows.signatures import verify

_PASSWORD = "pywa"


def open_captures() -> dict[str, bool]:
    """What of them is as it should be. Raises `MissingSourceError`."""
    tree = ast.parse((PYWA.folder() / "tests" / "test_server.py").read_text("utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    (private_key,) = _assigned(tree, "private_key")
    return {
        "the signature of a webhook": _signature(functions["test_webhook_updates_validator"]),
        **_request(functions["test_default_flow_request_decryptor_encryptor"], private_key),
        "an uploaded file": _media(functions["test_flow_request_media_decryptor"]),
    }


def _signature(function: ast.FunctionDef) -> bool:
    found = _arguments(function)
    return verify(found["request_body"], found["x_hub_signature"], found["app_secret"]) == 0


def _request(function: ast.FunctionDef, private_key: str) -> dict[str, bool]:
    """The request through the keys and through a whole endpoint, and the answer to the byte."""
    keys = PrivateKeys(private_key, password=_PASSWORD)
    (envelope,) = _assigned(function, "payload")
    expected, sealed = (_literal(node.comparators[0]) for node in _nodes(function, ast.Compare))
    response = next(value for value in _all_literals(function) if isinstance(value, dict) and "screen" in value
                    and value != expected)  # fmt: skip
    opened = keys.open(envelope["encrypted_aes_key"], envelope["encrypted_flow_data"], envelope["initial_vector"])
    endpoint = FlowEndpoint(keys, app_secrets=None, verify_signature=False)
    seen: list[FlowRequest] = []

    @endpoint.init
    def start(request: FlowRequest) -> Show:
        seen.append(request)
        return request.show("FIRST")

    answer = endpoint.receive(json.dumps(envelope).encode(), {})
    return {
        "a request": json.loads(opened.plaintext) == expected,
        "its answer, decrypted": json.loads(opened.channel.open(sealed.encode())) == response,
        "its answer, to the byte": opened.channel.seal(json.dumps(response).encode()).decode() == sealed,
        "a request to FlowEndpoint": answer.status == 200
        and [each.flow_token for each in seen] == [expected["flow_token"]]
        and json.loads(opened.channel.open(answer.body))["screen"] == "FIRST",
    }


def _media(function: ast.FunctionDef) -> bool:
    found = _arguments(function)
    (expected,) = (_literal(node.comparators[0]) for node in _nodes(function, ast.Compare))
    described = {
        "media_id": "1",
        "cdn_url": "https://mmg.whatsapp.net/x",
        "file_name": "x.jpg",
        "encryption_metadata": found["encryption_metadata"],
    }
    (item,) = encrypted_media([described])
    return bool(open_media(item, found["cdn_file"]) == expected)


def _nodes(tree: ast.AST, kind: type[Any]) -> Iterator[Any]:
    return (node for node in ast.walk(tree) if isinstance(node, kind))


def _literal(node: ast.expr) -> Any:
    return ast.literal_eval(node)


def _assigned(tree: ast.AST, name: str) -> list[Any]:
    """The literals that are assigned to a name."""
    return [
        _literal(node.value)
        for node in _nodes(tree, ast.Assign)
        if isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
    ]


def _arguments(function: ast.FunctionDef) -> dict[str, Any]:
    """The literals that are passed by name."""
    return {
        keyword.arg: _literal(keyword.value)
        for call in _nodes(function, ast.Call)
        for keyword in call.keywords
        if isinstance(keyword.value, (ast.Constant, ast.Dict)) and keyword.arg
    }


def _all_literals(function: ast.FunctionDef) -> Iterator[Any]:
    return (_literal(keyword.value) for call in _nodes(function, ast.Call) for keyword in call.keywords
            if isinstance(keyword.value, ast.Dict))  # fmt: skip
