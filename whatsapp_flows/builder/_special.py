"""What single components can do that the tables do not say: the number of a text field, the check of a condition."""

from __future__ import annotations

from typing import Any, ClassVar

from .._wire import short_repr
from ._base import Component, Data, InnerField, Input, Raw, Reference
from ._conditions import check_condition
from ._errors import FlowBuildError
from ._expressions import Expr

_NUMBER_INPUTS = ("number", "passcode")


class TextField(Input[str]):
    """A TextInput, whose value is a text or a number."""

    value_type: ClassVar[str] = "string"

    def _finish(self) -> None:
        super()._finish()
        if self.properties.get("input-type") in _NUMBER_INPUTS:
            self.json_type = "number"

    @property
    def number(self) -> Expr[float]:
        """The value as a number, for comparisons: `age.number > 17`. With `input_type` "number" or "passcode" only."""
        if self.json_type != "number":
            given = short_repr(self.properties.get("input-type", "text"))
            raise FlowBuildError(f"{self!r} has no number, since its input_type is {given}: give input_type='number'.")
        return Reference(self, "form", self.path, "number")


class Branches(Component):
    """An If, whose condition is checked when it is made."""

    def _finish(self) -> None:
        super()._finish()
        check_condition(self.properties["condition"])


class Cases(Component):
    """A Switch."""

    def _finish(self) -> None:
        super()._finish()
        value: Any = self.properties["value"]
        if not isinstance(value, (Data, InnerField, Input, Raw)):
            raise FlowBuildError("the value of a Switch is a reference: a Data, an input, or Raw.")
        kind = getattr(value, "json_type", "")
        if kind not in ("", "string"):
            raise FlowBuildError(f"a Switch needs a text, and {value!r} is a {kind}: use If with a comparison.")
