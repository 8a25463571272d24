"""What single components can do that the tables do not say: the number of a text field, the check of a value."""

from __future__ import annotations

from typing import Any, ClassVar

from .._wire import short_repr
from ._base import Data, InnerField, Input, Raw, Reference
from ._errors import FlowBuildError, a
from ._expressions import Expr

_NUMBER_INPUTS = ("number", "passcode")


class TextField(Input[str]):
    """A TextInput, whose value is a text or a number."""

    __slots__ = ()
    value_type: ClassVar[str] = "string"

    @property
    def json_type(self) -> str:
        return "number" if self.properties.get("input-type") in _NUMBER_INPUTS else "string"

    @property
    def number(self) -> Expr[float]:
        """The value as a number, for comparisons: `age.number > 17`. With `input_type` "number" or "passcode" only."""
        if self.json_type != "number":
            given = short_repr(self.properties.get("input-type", "text"))
            raise FlowBuildError(f"{self!r} has no number, since its input_type is {given}: give input_type='number'.")
        return NumberOf(self)


class NumberOf(Reference[float]):
    """The value of a text field as a number."""

    __slots__ = ("_owner",)

    def __init__(self, owner: TextField) -> None:
        self._owner = owner

    @property
    def owner(self) -> TextField:
        return self._owner

    @property
    def path(self) -> tuple[str, ...]:
        return self._owner.path

    @property
    def json_type(self) -> str:
        return "number"


def switched(value: Any) -> Any:
    """The value of a Switch. Raises `FlowBuildError` for what is no reference to a text."""
    if not isinstance(value, (Data, InnerField, Input, Raw)):
        raise FlowBuildError("the value of a Switch is a reference: a Data, an input, or Raw.")
    kind = getattr(value, "json_type", "")
    if kind not in ("", "string"):
        raise FlowBuildError(f"a Switch needs a text, and {value!r} is {a(kind)}: use If with a comparison.")
    return value
