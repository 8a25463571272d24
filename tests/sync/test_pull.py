"""`pull` writes Meta's content into the files, and changes nothing else in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import valid_flow
from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, actual, desired
from whatsapp_flows import ConfigurationError, FlowsError
from whatsapp_flows.sync import ActualFlow, DesiredFlow, Snapshot
from whatsapp_flows.sync._pull import FlowPull, plan_pull, pulled
from whatsapp_flows.sync.desired._variables import fill

FILE = '{"version": "7.3",\n  "screens": [ {"id": "{{screen}}", "title": "T"} ] }\n'


def flow(key: str = "booking", file: str = "a.json", **variables: str) -> DesiredFlow:
    content = fill(FILE, variables, source=file).text.encode()
    return desired(key, content=content, file=Path(file), variables=variables)


def pull(flows: list[DesiredFlow], there: list[ActualFlow | None], shared: list[DesiredFlow] | None = None) -> Any:
    found = Snapshot(account_id="1", flows={each.key: it for each, it in zip(flows, there, strict=True)})
    files = {each.file: FILE for each in flows if each.file is not None}
    return plan_pull(flows, found, files, shared or [])


def stored(text: str, **variables: str) -> ActualFlow:
    return actual(content=fill(text, variables, source="").text.encode())


def test_a_changed_value_is_written_in_its_place() -> None:
    """The layout and the variables of the file stay."""
    (found,) = pull([flow(screen="START")], [stored(FILE.replace('"T"', '"New"'), screen="START")])
    assert (found.action, found.content.decode()) == ("write", FILE.replace('"T"', '"New"'))
    assert found.changes.lines() == ['~ screen START: title "T" -> "New"']


def test_a_variable_whose_value_changed_is_replaced() -> None:
    """By Meta's text, in which braces are escaped."""
    (found,) = pull([flow(screen="START")], [stored(FILE, screen="{{END}}")])
    assert json.loads(found.content)["screens"][0]["id"] == "{{{{END}}"


def test_an_equal_document_is_not_written() -> None:
    """Whatever its layout at Meta."""
    same = json.dumps(json.loads(FILE.replace("{{screen}}", "A")), indent=7, sort_keys=True).encode()
    (found,) = pull([flow(screen="A")], [actual(content=same)])
    assert (found.action, found.content, found.problem) == ("unchanged", b"", "")


PROBLEMS: list[tuple[ActualFlow | None, dict[str, Any], str]] = [
    (None, {}, "the account does not have it"),
    (actual("DEPRECATED", content=None), {}, "it is deprecated"),
    (actual(content=None, error=FlowsError("no answer")), {}, "no answer"),
    (actual(content=None), {}, "it has no Flow JSON"),
    (actual(content=OTHER_FLOW_JSON), {"file": None}, "it does not come from a file"),
    (actual(content=b"[]"), {}, "its Flow JSON at Meta cannot be written: it must be a JSON object, not list"),
]


@pytest.mark.parametrize(("there", "changes", "expected"), PROBLEMS)
def test_the_reason_why_nothing_is_written(there: ActualFlow | None, changes: dict[str, Any], expected: str) -> None:
    """Each in a sentence."""
    (found,) = pull([desired(**changes)], [there])
    assert (found.action, found.problem) == ("failed", expected)


def test_metadata_is_noted() -> None:
    """No Flow JSON file contains it: it is reported in a note."""
    (found,) = pull([desired()], [actual(categories=("SURVEY",))])
    assert (found.action, found.notes) == ("unchanged", ("its categories: SURVEY at Meta, OTHER here",))


def edited(title: str, **variables: str) -> ActualFlow:
    return stored(FILE.replace('"T"', f'"{title}"'), **variables)


def actions(found: tuple[FlowPull, ...]) -> list[str]:
    return [each.action for each in found]


def test_a_file_of_two_flows_is_written_if_it_is_right_for_both() -> None:
    """They differ in their variables, and were changed alike."""
    flows = [flow("a", screen="A"), flow("b", screen="B")]
    found = pull(flows, [edited("New", screen="A"), edited("New", screen="B")])
    assert actions(found) == ["write", "write"]
    assert found[0].content == found[1].content == FILE.replace('"T"', '"New"').encode()


@pytest.mark.parametrize("there", [edited("Other", screen="B"), edited("T", screen="B"), None])
def test_a_file_of_two_flows_is_not_written_if_it_would_be_wrong(there: ActualFlow | None) -> None:
    """One of them was changed in another way, or not at all, or could not be read."""
    flows = [flow("a", screen="A"), flow("b", screen="B")]
    found = pull(flows, [edited("New", screen="A"), there])
    assert "write" not in actions(found)
    assert found[0].problem == "its file is also that of b, where Meta has something else"


def test_a_file_stays_right_for_a_flow_that_is_not_pulled() -> None:
    """The two flows may share the file."""
    (found,) = pull([flow("a", screen="A")], [edited("New", screen="A")], [flow("b", "./a.json", screen="B")])
    assert found.problem == "its file is also that of b, where Meta has something else"
    (found,) = pull([flow("a", screen="A")], [edited("New", screen="A")], [flow("b", "b.json", screen="B")])
    assert found.action == "write"


def test_a_deeply_nested_document_is_refused() -> None:
    """With a `ConfigurationError`."""
    deep = '{"a":' * 900 + "1" + "}" * 900
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        pulled(FLOW_JSON.decode(), {}, deep.encode())
    assert json.loads(pulled("{}", {}, json.dumps(valid_flow()).encode())) == valid_flow()
