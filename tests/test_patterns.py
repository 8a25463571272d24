"""
The work of every regular expression of the package is linear in its text, whatever the text is.

The expressions are read out of the source, with the methods that they are used by, so that a new one is measured too.
Each is fed texts that are known to make expressions go back and forth: a beginning that fits, a piece that fits again
and again, no end. What is measured is the number of steps that a backtracking search takes (`tests/matching.py`): three
times the text must not take much more than three times the steps.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

import whatsapp_flows
from tests.matching import TooManyStepsError, steps

pytestmark = pytest.mark.unmeasured

ROOT: Final = Path(whatsapp_flows.__file__).parent
PIECES_OF_A_TEXT: Final = (6, 60)
LITTLE: Final = 2  # steps for each character; what takes more is compared with a text of three times the length
MUCH: Final = 5.0  # nine for work on each pair of characters
METHODS: Final = frozenset({"match", "fullmatch", "search", "findall", "finditer", "sub", "split"})

STARTS: Final = (
    "", " ", "a", "0", "-", '"', "'", "`", '"""', "'''", "(", "[", "#", "{{", "{{ a", "\n ", "${", "${data", "${data.",
    "${screen.", "${screen.A.form.", "EAA", " EAA", "access_token=", "data:image/png;base64,", "a(host=", "token_",
    "-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\n", "a (at line 1, column ", " (generation 1", "https:",
)  # fmt: skip
PIECES: Final = (
    " ", "\n", "\n ", "a", "0", "-", "_", ".", "=", "A=", '"', "'", '\\"', "\\", "\\\\", "\\u", "\\ud800", "`", "(",
    ")", "(a", "[", "{", "{{", "{{a", "{{ ", "}", "#", "#\n", "a.", ". ", ".data", ".data.", ".form.a", "${",
    "${data.a",
    "${screen.", "EAA", "EAAa ", "://", "://a:b", "%2F", "😀", "\ud800", " (at line 1", "-----END", " (generation 1",
)  # fmt: skip
ENDS: Final = ("", "!")


class Expression(NamedTuple):
    """One expression as it is used: where it stands, the method, the pattern."""

    place: str
    method: str
    pattern: re.Pattern[str]


# What stands in a variable where it is used -> where the patterns are.
def _bindings() -> list[str]:
    from whatsapp_flows.flow_json.schema import BINDINGS

    return [pattern for _, pattern, _ in BINDINGS]


def _names() -> list[str]:
    from whatsapp_flows.sync.desired import _config

    found = [each.names for each in vars(_config).values() if isinstance(each, _config._Each)]
    return [*found, _config._Each(None).names]


def _of_a_secret() -> list[str]:
    from whatsapp_flows import _wire

    return [_wire._escaped("EAA" + "a0" * 20).pattern]


IN_VARIABLES: Final[dict[tuple[str, str], Callable[[], list[str]]]] = {
    ("flow_json/schema/_checks.py", "pattern"): _bindings,
    ("sync/desired/_config.py", "schema.names"): _names,
    ("_files.py", r"f'\\.{re.escape(target.name[:_MAX_NAME])}\\.[0-9a-f]{{8}}\\.tmp'"): lambda: [
        r"\.flow\.json\.[0-9a-f]{8}\.tmp"
    ],
    ("_wire.py", "''.join(map(_spellings, value[:_PREFIX])) + tail"): _of_a_secret,
    ("_environment.py", "pattern"): lambda: [r"[0-9]{1,9}(\.[0-9]{1,9})?", r"[0-9]{1,6}"],
}


UNKNOWN: Final[set[str]] = set()
"""Patterns in variables that `IN_VARIABLES` does not name."""


def _namespace(path: Path) -> dict[str, Any]:
    name = ".".join(("whatsapp_flows", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    try:
        return dict(vars(import_module(name)))
    except Exception:  # noqa: BLE001 - an optional dependency that is not installed; most patterns are literals
        return {"re": re}


def _expressions_of(path: Path) -> Iterator[Expression]:
    source = path.read_text(encoding="utf-8")
    if not re.search(r"\bre\.", source):  # most modules have none, and a walk through their trees takes seconds in all
        return
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    inside = path.relative_to(ROOT).as_posix()
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    on_re = [call for call in calls if isinstance(call.func.value, ast.Name) and call.func.value.id == "re"]  # type: ignore[attr-defined]
    namespace = _namespace(path) if on_re else {}
    for call in on_re:
        function = call.func.attr  # type: ignore[attr-defined]
        if function not in METHODS | {"compile"}:
            continue
        methods = {function} if function != "compile" else _methods_of(call, nodes, calls)
        for pattern in _patterns_of(call, inside, namespace):
            for method in sorted(methods):
                yield Expression(f"{inside}:{call.lineno} {method}", method, pattern)


def _patterns_of(call: ast.Call, inside: str, namespace: dict[str, Any]) -> list[re.Pattern[str]]:
    flags = [each for each in call.args[1:] if "re." in ast.unparse(each)]
    flag = eval(ast.unparse(flags[0]), {"re": re}) if flags else 0
    source = ast.unparse(call.args[0])
    elsewhere = IN_VARIABLES.get((inside, source))
    try:
        written = elsewhere() if elsewhere else [eval(source, namespace)]
    except NameError:
        UNKNOWN.add(f"{inside}: {source}")
        return []
    return [re.compile(each, flag) for each in written if isinstance(each, str)]


def _methods_of(call: ast.Call, nodes: list[ast.AST], calls: list[ast.Call]) -> set[str]:
    """The methods by which a compiled expression is used."""
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.value is call:
            return {node.attr}
    names = {
        target.id
        for node in nodes
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is call
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    used = {
        each.func.attr  # type: ignore[attr-defined]
        for each in calls
        if isinstance(each.func.value, ast.Name) and each.func.value.id in names  # type: ignore[attr-defined]
    }
    return (used & METHODS) or {"match"}  # passed to a function that reads a text


EXPRESSIONS: Final = [each for path in sorted(ROOT.rglob("*.py")) for each in _expressions_of(path)]


def text_of(parts: tuple[str, str, str], pieces: int) -> str:
    start, piece, end = parts
    return start + piece * pieces + end


TEXTS: Final = [(start, piece, ENDS[i % len(ENDS)]) for i, (start, piece) in enumerate(product(STARTS, PIECES))]
assert len(PIECES) % 2  # so that each piece comes with each end


def grows(expression: Expression, parts: tuple[str, str, str], pieces: int) -> bool:
    """Whether three times the text takes much more than three times the steps."""
    text, longer = text_of(parts, pieces), text_of(parts, 3 * pieces)
    try:
        few = steps(expression.pattern, expression.method, text)
        if few <= LITTLE * (len(text) + 1):
            return False
        return steps(expression.pattern, expression.method, longer) > MUCH * few
    except TooManyStepsError:
        return True


def is_slow(expression: Expression, parts: tuple[str, str, str]) -> bool:
    """Whether that is so for short texts, and still is for longer ones."""
    return all(grows(expression, parts, pieces) for pieces in PIECES_OF_A_TEXT)


@pytest.mark.slow
@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda each: str(each.place))
def test_no_text_makes_an_expression_slow(expression: Expression) -> None:
    """Three times the text takes about three times the steps."""
    slow = next((parts for parts in TEXTS if is_slow(expression, parts)), None)
    assert slow is None, expression.pattern.pattern


@pytest.mark.parametrize(
    ("method", "pattern", "parts"),
    [
        ("match", r"\$\{(?:screen\.[^{}]*?\.)?(?:data|form)\b[^{}]*\}", ("${screen.", ".data", "")),
        ("fullmatch", r" EAA\s+([A-Z=\s]+?)-----END", (" EAA", " ", "!")),
        ("finditer", r'"[^"\\]*(?:\\.[^"\\]*)*"|[^ "]+', ('"', '\\"', "")),
        ("search", r"\s+$", ("", " ", "!")),
    ],
)
def test_a_slow_expression_would_be_seen(method: str, pattern: str, parts: tuple[str, str, str]) -> None:
    """The check detects expressions that read the text again from each place in it."""
    assert parts[0] in STARTS
    assert parts[1] in PIECES
    assert is_slow(Expression("here", method, re.compile(pattern)), parts)


def test_all_expressions_are_found() -> None:
    """Several are found in each package."""
    rooms = {each.place.partition(":")[0] for each in EXPRESSIONS}
    assert {
        "_wire.py",
        "flow_json/language/_references.py",
        "flow_json/schema/_checks.py",
        "sync/desired/_variables.py",
    } <= rooms
    assert len(EXPRESSIONS) > 50
    assert set() == UNKNOWN, "say in IN_VARIABLES what patterns these are"
