"""
A fuzzer of the validator: valid documents, broken at random, and what must hold of every report.

    python -m tests.flow_json.fuzz [--seconds N] [--seed N] [--keep FOLDER]

Half of the documents are broken as bytes (flipped, cut, doubled, spliced, sprinkled with tokens), half as values (a
node dropped, doubled, moved, swapped or replaced by something of another type). Of each: nothing raises, the report is
the same the second time, each place lies in the text and holds what its pointer names, the whole is drawn, text that
is no JSON is refused, and nothing takes long. Ends with 1 when something of this did not hold; KEEP gets the documents.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import random
import re
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.flow_json.samples import TODAY, samples
from whatsapp_flows.errors import ConfigurationError, ValidationIssue
from whatsapp_flows.flow_json import Report, upgrade, validate

LONG: Final = 2.0  # seconds that no document of the fuzzer's size may take
VERSIONS: Final = ("2.1", "3.0", "4.0", "5.0", "5.1", "5.2", "6.0", "6.2", "6.3", "7.0", "7.1", "7.2", "7.3", "7.4")
TOKENS: Final = (
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"null", b"true", b"-0", b"1e999", b"NaN", b"Infinity",
    b"\xef\xbb\xbf", b"\xc2\xa0", b"\xff", b"\r", b"\x00", b"\\ud800", b"\\udc00", b"\xf0\x9f\x98\x80",
    b"9007199254740993", b"`", b"${data.x}", b"${form.", b"__example__", b'"type":', b'"required":', b"[[[[[[[[",
    b'{"a":{"a":{"a":',
)  # fmt: skip
VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1.5, 1e300, 2**60, "", " ", "\u00a0", "x", "😀", "$", "${data.x}", "${form.x}",
    "${data.}", "${screen.END.form.name}", "${screen.START.data.name}", "`", "``", "`1 + 1`", "`'a' ${form.name}`",
    "`1 / (2`", "`!!!true`", "success", "2025-01-31", "2025-13-99", [], [[]], [None], {}, {"": {}}, {"type": "If"},
    {"type": "object"}, {"type": []}, {"type": "Footer"}, {"name": "complete", "payload": {}},
    {"name": "navigate", "next": {"type": "screen", "name": "END"}},
    {"type": "array", "items": {"type": "array"}, "__example__": [[1]]},
)  # fmt: skip

Steps = tuple[Any, ...]


@dataclass
class Outcome:
    """What the fuzzer saw. `failures` are (what was wrong, the document)."""

    documents: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    codes: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, bytes]] = field(default_factory=list)


def fuzz(
    seconds: float, seed: int, *, most: int | None = None, clock: Callable[[], float] = time.perf_counter
) -> Outcome:
    """Break documents for some seconds, or until `most` were seen."""
    chance = random.Random(seed)
    made = [document for _, document in samples()]
    outcome, began = Outcome(), clock()
    while clock() - began < seconds and outcome.documents != most and len(outcome.failures) < 20:
        content = broken(chance, made)
        before = clock()
        problem = problem_of(content, outcome.codes)
        took = clock() - before
        outcome.documents += 1
        outcome.slowest = max(outcome.slowest, took)
        if problem is None and took > LONG:
            problem = f"{len(content)} bytes took {took:.1f} s"
        if problem is not None:
            outcome.failures.append((problem, content))
    outcome.seconds = clock() - began
    return outcome


# -- how a document is broken


def broken(chance: random.Random, made: list[dict[str, Any]]) -> bytes:
    """The text of a broken document."""
    value = copy.deepcopy(chance.choice(made))
    if chance.random() < 0.3:
        value["version"] = chance.choice(VERSIONS)
    for _ in range(chance.choice((0, 1, 1, 2, 3, 8))):
        _break_value(chance, value, made)
    indent = chance.choice((None, None, 2))
    text = json.dumps(value, ensure_ascii=chance.random() < 0.5, indent=indent).encode(errors="surrogatepass")
    if chance.random() < 0.5:
        other = json.dumps(chance.choice(made)).encode()
        for _ in range(chance.choice((1, 1, 2, 5))):
            text = _break_bytes(chance, text, other)
    return text


def _nodes(value: Any) -> list[Steps]:
    found: list[Steps] = []
    ahead: list[tuple[Steps, Any]] = [((), value)]
    while ahead:
        at, held = ahead.pop()
        found.append(at)
        if isinstance(held, dict):
            ahead.extend(((*at, key), inner) for key, inner in held.items())
        elif isinstance(held, list):
            ahead.extend(((*at, i), inner) for i, inner in enumerate(held))
    return found


def _at(value: Any, steps: Steps) -> Any:
    for step in steps:
        value = value[step]
    return value


def _break_value(chance: random.Random, value: dict[str, Any], made: list[dict[str, Any]]) -> None:
    nodes = _nodes(value)
    if len(nodes) < 2:
        return
    *around, last = chance.choice(nodes[1:])
    owner = _at(value, tuple(around))
    how = chance.randrange(7)
    if how == 0:
        del owner[last]
    elif how == 1:
        owner[last] = copy.deepcopy(chance.choice(VALUES))
    elif how == 2 and isinstance(owner, dict):
        owner[chance.choice((last.upper(), f"{last}x", last.replace("-", "_"), ""))] = owner.pop(last)
    elif how == 3 and isinstance(owner, list):
        owner.insert(chance.randrange(len(owner) + 1), copy.deepcopy(owner[last]))
    elif how == 4:
        owner[last] = copy.deepcopy(_at(value, chance.choice(nodes)))
    elif how == 5:
        other = chance.choice(made)
        owner[last] = copy.deepcopy(_at(other, chance.choice(_nodes(other))))
    elif isinstance(owner[last], str):
        text = owner[last]
        cut = chance.randrange(len(text) + 1)
        owner[last] = text[:cut] + str(chance.choice(VALUES)) + text[cut:]


def _break_bytes(chance: random.Random, text: bytes, other: bytes) -> bytes:
    at = chance.randrange(len(text) + 1)
    to = min(len(text), at + int(chance.paretovariate(0.7)))
    how = chance.randrange(6)
    if how == 0:
        return text[:at] + text[to:]
    if how == 1:
        return text[:at] + bytes(chance.randrange(256) for _ in range(chance.randrange(1, 4))) + text[to:]
    if how == 2:
        return text[:at] + chance.choice(TOKENS) * chance.choice((1, 1, 2, 400)) + text[at:]
    if how == 3:
        return text[:to] + text[at:to] + text[to:]
    if how == 4:
        begin = chance.randrange(len(other))
        return text[:at] + other[begin : begin + to - at] + text[to:]
    return text[:at]


# -- what must hold


def problem_of(content: bytes, codes: Counter[str]) -> str | None:
    """What did not hold for a document, or None."""
    try:
        report = validate(content, today=TODAY)
        codes.update(issue.error for issue in report.issues)
        _check(content, report)
    except Exception:  # noqa: BLE001 - that nothing raises is what is tested
        return traceback.format_exc(limit=-4)
    return None


def _check(content: bytes, report: Report) -> None:
    assert validate(content, today=TODAY).issues == report.issues, "another report the second time"
    quiet = validate(content, today=TODAY, advice=False)
    assert quiet.errors == report.errors, "advice changes the errors"
    assert set(quiet.issues) <= set(report.issues), "less advice is more issues"
    assert report.ok is not any(issue.severity == "error" for issue in report.issues)
    assert report.render(content).count("\n") >= len(report.issues) - 1
    value = _value(content)
    if value is None:
        assert not report.ok, "this is no JSON object"
        return
    places = [(issue.line_start or 0, issue.column_start or 0) for issue in report.issues]
    assert places == sorted(places), "not in the order of the text"
    text = content.decode()
    lines = text.split("\n")
    for issue in report.issues:
        _check_places(issue, lines, value)
    if isinstance(value.get("version"), str):
        with contextlib.suppress(ConfigurationError):
            upgrade(content, to="7.4")


def _value(content: bytes) -> dict[str, Any] | None:
    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        value = json.loads(content.decode(), parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


_STEP: Final = re.compile(r"\[(\d+)\]|\.?([^.\[]+)")


def _check_places(issue: ValidationIssue, lines: list[str], value: dict[str, Any]) -> None:
    """Each pointer's span is a piece of the text that is a JSON value, a key, or something around it."""
    for at in issue.pointers:
        if at.line_start is None or at.line_end is None or at.column_start is None or at.column_end is None:
            raise AssertionError(f"{issue.error} has a pointer without a place")
        piece = _piece(lines, at.line_start, at.column_start, at.line_end, at.column_end)
        found = json.loads(piece)  # a key is a string too
        simple = _simple(at.path or "", value)
        if simple is not None and found != simple[1] and not (isinstance(found, str) and found == simple[0]):
            raise AssertionError(f"{issue.error}: {at.path} is not what stands at {at.line_start}:{at.column_start}")


def _piece(lines: list[str], line: int, column: int, end_line: int, end_column: int) -> str:
    picked = [each.encode("utf-16-le", "surrogatepass") for each in lines[line - 1 : end_line]]
    picked[-1] = picked[-1][: 2 * (end_column - 1)]
    picked[0] = picked[0][2 * (column - 1) :]
    return b"\n\0".join(picked).decode("utf-16-le", "surrogatepass")


def _simple(path: str, value: Any) -> tuple[object, object] | None:
    """The last step and the value of a path that can be read back: no key has a dot, a bracket or digits alone."""
    if not path:  # the document, or an empty key in it
        return None
    last: object = None
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            return None
        at = step.end()
        last = int(step[1]) if step[1] else step[2]
        try:
            value = value[last]
        except (KeyError, IndexError, TypeError):
            return None
    return last, value


def main(argv: list[str]) -> int:
    """Run, and say for how long and what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--keep", type=Path, default=None, help="a folder for the documents that failed")
    options = parser.parse_args(argv)
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    outcome = fuzz(options.seconds, seed)
    print(f"seed {seed}: {outcome.documents} documents in {outcome.seconds:.0f} s, slowest {outcome.slowest:.3f} s")
    print(f"{len(outcome.codes)} codes: {', '.join(f'{code} {count}' for code, count in outcome.codes.most_common())}")
    for number, (problem, content) in enumerate(outcome.failures):
        print(f"\nfailure {number}:\n{problem}")
        if options.keep is not None:
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"{seed}-{number}.json").write_bytes(content)
    print(f"{len(outcome.failures)} failures")
    return int(bool(outcome.failures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
