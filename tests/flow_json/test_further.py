"""What can be said of a document whose structure has errors: what is wrong whatever those mean, and nothing else."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.flow_json.samples import TODAY, footer, navigate, samples, screen
from whatsapp_flows.flow_json import validate, validate_further

DOCUMENTS: Final = dict(samples())


def document(*children: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Two screens; the first has these components."""
    first = screen("START", *children, navigate("LAST"), data={"price": {"type": "string", "__example__": "1"}})
    return {"version": "7.3", "screens": [first, screen("LAST", footer(), terminal=True)], **more}


def found(value: Any) -> list[tuple[str, str]]:
    """The errors of a document as path and message."""
    report = validate_further(json.dumps(value), today=TODAY)
    return [(each.path, issue.message) for issue in report.errors for each in issue.pointers or ()]


BODY: Final = {"type": "TextBody", "text": "${data.prize}"}
WRONG_REFERENCE: Final = ("screens[0].layout.children[1].text", "${data.prize}: 'prize' is not in the data model")
SELECTS: Final = {
    "type": "If",
    "condition": "${data.price} ==",
    "then": [{"type": "TextBody", "text": "x"}],
}
WRONG_CONDITION: Final = ("screens[0].layout.children[1].condition", "The condition")
MIN: Final = {"type": "TextInput", "label": "A", "name": "a", "min-chars": 9, "max-chars": 2}
WRONG_MINIMUM: Final = ("screens[0].layout.children[1].min-chars", "")


@pytest.mark.parametrize(
    ("wrong", "right", "expected"),
    [
        # As it is meant: every rule counts.
        ({"type": "TextBdy", "text": "x"}, BODY, WRONG_REFERENCE),
        ({"type": "TextBody", "txt": "x"}, BODY, WRONG_REFERENCE),
        ({"type": "TextInput", "name": "b", "label": "B", "input-type": "texxt"}, SELECTS, WRONG_CONDITION),
        # Without what nothing else depends on: every rule counts, too.
        ({"type": "TextBody"}, BODY, WRONG_REFERENCE),
        ({"type": "TextInput", "name": "b", "label": "B", "required": 5}, SELECTS, WRONG_CONDITION),
        # What is wrong cannot be read: only what is sure counts.
        ({"type": "TextInput", "label": "B"}, BODY, None),
        ({"type": "TextInput", "label": "B"}, MIN, WRONG_MINIMUM),
        ({"type": "TextBody"}, MIN, WRONG_MINIMUM),
        ({"type": "TextBody", "text": 5}, MIN, WRONG_MINIMUM),
        ({"type": "TextBody", "text": "x", "unheard-of": 5}, MIN, WRONG_MINIMUM),
        (5, MIN, None),
        ([], BODY, None),
    ],
)
def test_the_other_parts_have_findings(wrong: Any, right: Any, expected: tuple[str, str] | None) -> None:
    """Meta says nothing of the meaning while the structure has errors; `validate` says what Meta says."""
    value = document(wrong, right)
    structure = {(each.path, i.message) for i in validate(json.dumps(value), today=TODAY).errors
                 for each in i.pointers or ()}  # fmt: skip
    more = [each for each in found(value) if each not in structure]
    assert structure
    assert structure <= set(found(value))
    if expected is None:
        assert more == []
    else:
        assert [(path, message.startswith(expected[1])) for path, message in more] == [(expected[0], True)]


def test_a_component_with_an_error_has_no_other_findings() -> None:
    """What it is for is not known, so nothing about it is sure."""
    value = document({**MIN, "label": 5})
    assert [path for path, _ in found(value)] == ["screens[0].layout.children[0].label"]


@pytest.mark.parametrize(
    ("wrong", "data"),
    [
        ({"type": "TextInput", "label": "N", "input-type": True}, {"type": "number", "__example__": 1}),
        ({"type": "TextInput", "label": "N", "input-type": "unheard-of"}, {"type": "number", "__example__": 1}),
        ({"type": "CalendarPicker", "label": "N", "mode": 5}, {"type": "object", "__example__": {}}),
    ],
)
def test_what_decides_the_type_of_a_value_is_not_taken_away(wrong: dict[str, Any], data: dict[str, Any]) -> None:
    """It may be a number or an object: that it does not fit where it is used is not sure."""
    value = document({**wrong, "name": "n"})
    value["screens"][0]["layout"]["children"][1] = navigate("LAST", {"n": "${form.n}"})
    value["screens"][1]["data"] = {"n": data}
    assert {path.rpartition(".")[0] for path, _ in found(value)} == {"screens[0].layout.children[0]"}


def test_a_field_without_an_example_is_no_reason_for_silence() -> None:
    """Its type is known; of the field itself nothing more is said."""
    value = document(MIN)
    del value["screens"][0]["data"]["price"]["__example__"]
    assert [path for path, _ in found(value)] == [
        "screens[0].data.price", "screens[0].layout.children[0].min-chars",
    ]  # fmt: skip


def test_errors_behind_a_proposal_are_found_too() -> None:
    """The type is read as the one that is meant; a finding stands where it is in the text."""
    value = document({"type": "TextInpt", "nmae": "a", "lable": "A", "min-chars": 9, "max-chars": 2})
    value["screens"][0]["titel"] = value["screens"][0].pop("title")
    here = "screens[0].layout.children[0]"
    assert [path for path, _ in found(value)] == [
        "screens[0]", here, here, f"{here}.type", f"{here}.nmae", f"{here}.lable", f"{here}.min-chars",
        "screens[0].titel",
    ]  # fmt: skip


@pytest.mark.parametrize("where", [(), ("screens", 0), ("screens", 0, "layout")])
def test_after_an_error_outside_of_components_nothing_more_is_reported(where: tuple[str | int, ...]) -> None:
    """A key that cannot be read may be one on which much depends."""
    value = document(MIN)
    part: Any = value
    for step in where:
        part = part[step]
    part["unheard-of"] = 1
    assert len(found(value)) == 1


def broken(value: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A copy with one change: a key or a text misspelt, a member left out, a value of another type."""
    value = copy.deepcopy(value)
    holder, key = chance.choice(list(places(value)))
    kind = chance.choice(("leave out", "misspell", "another type"))
    given = holder[key]
    if kind == "leave out":
        del holder[key]
    elif kind == "another type":
        holder[key] = chance.choice((None, 1, True, "", [], {}))
    elif isinstance(holder, dict) and (not isinstance(given, str) or chance.random() < 0.5):
        members = [(misspelt(name, chance) if name == key else name, held) for name, held in holder.items()]
        holder.clear()
        holder.update(members)
    elif isinstance(given, str):
        holder[key] = misspelt(given, chance)
    return value


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """All members and items: what holds them, and the key or index."""
    for key, held in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(held, (dict, list)):
            yield from places(held)


def misspelt(text: str, chance: random.Random) -> str:
    """A text with a character too many or too few."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice("xq") + text[at:] if chance.random() < 0.5 else text[: max(at - 1, 0)] + text[at:]


@pytest.mark.slow
@pytest.mark.parametrize("name", DOCUMENTS)
def test_one_error_of_structure_brings_no_other(name: str) -> None:
    """What is found beside it was there before: a valid document with one such error has no other error."""
    chance = random.Random(name)
    before = {(each.rule, each.message) for each in validate(json.dumps(DOCUMENTS[name]), today=TODAY).issues}
    structure = {"FJ004", *(f"FJ0{number}" for number in range(11, 27))}
    for _ in range(60):
        text = json.dumps(broken(DOCUMENTS[name], chance))
        strict = validate(text, today=TODAY).errors
        if not strict or not {each.rule for each in strict} <= structure:
            continue
        after = validate_further(text, today=TODAY).issues
        assert {(each.rule, each.message) for each in strict} <= {(each.rule, each.message) for each in after}
        assert not {(each.rule, each.message) for each in after if each.rule not in structure} - before


def test_without_errors_of_structure_it_is_the_same() -> None:
    """With the same findings of rules and advice."""
    text = json.dumps(document(BODY, SELECTS, MIN))
    assert validate_further(text, today=TODAY) == validate(text, today=TODAY)
