"""The error tree: the base classes, the fields and text of an error, copies and pickles."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import whatsapp_flows
from whatsapp_flows import (
    ApiError,
    ConfigurationError,
    ErrorDetails,
    FatalError,
    FlowProcessingError,
    FlowsError,
    FlowValidationError,
    NoAnswerError,
    RetryableError,
    TransportError,
    ValidationIssue,
    ValidationPointer,
    errors,
)

CLASSES: dict[str, type[FlowsError]] = {
    name: getattr(errors, name) for name in errors.__all__ if name.endswith("Error")
}
MARKERS: set[type[FlowsError]] = {FlowsError, RetryableError, FatalError, TransportError, ApiError}

DETAILS = ErrorDetails(
    message="Updating attempt failed",
    operation="update_flow_json",
    flow_id="42",
    http_status=400,
    code=139001,
    subcode=4016012,
    type="OAuthException",
    user_title="Error while processing WELJ",
    user_message="Flow JSON has been saved, but processing has failed.",
    is_transient=False,
    fbtrace_id="AbC",
    retry_after=30.0,
    advice="Send it again.",
)


def test_the_tree_in_the_docstring_is_that_of_the_classes() -> None:
    """The tree in the module's docstring names every class under its parent, with the right marks."""
    drawn: list[tuple[int, str, str]] = [
        (len(found[1]), found[2], found[3])
        for line in (errors.__doc__ or "").splitlines()
        if (found := re.match(r"    ([ │├─└]*)(\w+Error)\b(?: \(\w+\))?\s*([RFA ]*?)(?:\s{2,}|$)", line))
    ]
    stack: list[tuple[int, type[FlowsError]]] = []
    for depth, name, marks in drawn:
        cls = CLASSES[name]
        while stack and stack[-1][0] >= depth:
            stack.pop()
        if stack:
            assert issubclass(cls, stack[-1][1]), name
        stack.append((depth, cls))
        if cls not in MARKERS:
            assert issubclass(cls, RetryableError) == ("R" in marks), name
            assert issubclass(cls, FatalError) == ("F" in marks), name
            assert cls.outcome_unknown == ("A" in marks), name
    assert {name for _, name, _ in drawn} == set(CLASSES) - {"RetryableError", "FatalError"}


@pytest.mark.parametrize("cls", [cls for cls in CLASSES.values() if cls not in MARKERS])
def test_each_error_is_retryable_or_fatal_never_both(cls: type[FlowsError]) -> None:
    """A queue worker needs `except RetryableError` and `except FatalError`, and nothing in between."""
    assert issubclass(cls, RetryableError) != issubclass(cls, FatalError)


def test_a_configuration_error_is_a_value_error() -> None:
    """Code that does not import this library can catch it as `ValueError`."""
    assert issubclass(ConfigurationError, ValueError)


def test_the_usual_details_are_properties() -> None:
    """The usual fields of `details` are attributes of the error."""
    error = FlowProcessingError(DETAILS)
    for name in (
        "operation", "flow_id", "message", "http_status", "code", "subcode", "user_title", "user_message",
        "fbtrace_id", "retry_after", "advice",
    ):  # fmt: skip
        assert getattr(error, name) == getattr(DETAILS, name)


@pytest.mark.parametrize(
    ("details", "text"),
    [
        (
            DETAILS,
            "update_flow_json of flow 42: Error while processing WELJ: Flow JSON has been saved, but processing has"
            " failed. (code 139001, subcode 4016012, HTTP 400, fbtrace_id AbC) Send it again.",
        ),
        (ErrorDetails(message="refused", operation="list_flows", advice="Try."), "list_flows: refused Try."),
        (ErrorDetails(message="bad", user_message="Bad id.", user_title="Bad id"), "Bad id."),
        (ErrorDetails(message="nothing more"), "nothing more"),
        ("just a sentence", "just a sentence"),
    ],
)
def test_the_text_says_what_where_and_what_to_do(details: ErrorDetails | str, text: str) -> None:
    """`str` has the operation, Meta's message, the codes, and the advice."""
    assert str(FlowProcessingError(details)) == text


def every_error() -> list[FlowsError]:
    made: list[FlowsError] = []
    for cls in CLASSES.values():
        error = cls(DETAILS)
        error.attempts = (NoAnswerError("first"),)
        made.append(error)
    issue = ValidationIssue(error="INVALID_ENUM_VALUE", message="no", pointers=(ValidationPointer(path="a"),))
    return [*made, FlowValidationError(DETAILS, (issue,))]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
def test_an_error_copies_and_pickles_with_all_its_values(error: FlowsError) -> None:
    """Task queues pickle errors: class, details, issues and history are kept."""
    vars(error)["__notes__"] = ["seen in the night shift"]  # what add_note does, from Python 3.11
    for twin in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is type(error)
        assert twin.details == error.details
        assert [str(earlier) for earlier in twin.attempts] == [str(earlier) for earlier in error.attempts]
        assert vars(twin)["__notes__"] == ["seen in the night shift"]
        assert getattr(twin, "issues", None) == getattr(error, "issues", None)


def test_an_error_passes_a_context_manager() -> None:
    """contextlib sets attributes on an exception, so it cannot be frozen."""

    @contextmanager
    def block() -> Iterator[None]:
        yield

    with pytest.raises(FlowProcessingError) as caught, block():
        raise FlowProcessingError(DETAILS)
    assert caught.value.code == 139001


def test_an_error_made_from_a_sentence_has_the_advice_of_its_class() -> None:
    """An error that is made from a text only has advice too."""
    assert "Nothing reached Meta" in errors.NotSentError("refused").advice


@pytest.mark.parametrize("cls", [cls for cls in CLASSES.values() if cls not in MARKERS])
def test_every_error_has_advice(cls: type[FlowsError]) -> None:
    """Every class has a default advice."""
    assert cls("made in one line").advice.endswith(".")


def test_an_unknown_outcome_of_an_earlier_attempt_is_kept() -> None:
    """`may_have_acted` is also true when only an earlier attempt left the outcome unknown."""
    error = errors.NotSentError("refused")
    assert not error.may_have_acted
    error.attempts = (errors.NotSentError("refused"), NoAnswerError("silence"))
    assert error.may_have_acted


def test_all_errors_are_public() -> None:
    """Every class of the tree is in the package's public list."""
    assert set(CLASSES) <= set(whatsapp_flows.__all__)
