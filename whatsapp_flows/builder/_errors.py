"""What can go wrong when a Flow is built, and the words of it."""

from __future__ import annotations

from typing import Final

from ..errors import ConfigurationError


class FlowBuildError(ConfigurationError):
    """What was written in Python has no form in Flow JSON. The message names the remedy."""


def a(noun: str) -> str:
    """A noun after its article."""
    return f"{'an' if noun[:1].lower() in tuple('aeio') else 'a'} {noun}"


_AS_TEXT: Final = "; write it as a text, such as value.isoformat()"
# Type -> what to write instead. By name: a module that nobody needs is not imported for its types.
_INSTEAD: Final = {
    "builtins.NoneType": "; leave it out",
    "builtins.bytes": "; write it as a text, such as base64.b64encode(value).decode()",
    "builtins.dict": "; JSON stands in Raw(...)",
    "builtins.frozenset": "; write a list",
    "builtins.set": "; write a list",
    "builtins.type": "; make an object of it, with parentheses",
    "datetime.date": _AS_TEXT,
    "datetime.time": _AS_TEXT,
    "decimal.Decimal": "; write float(value)",
    "fractions.Fraction": "; write float(value)",
    "uuid.UUID": "; write str(value)",
}


def instead(value: object) -> str:
    """What to write instead of a value that cannot stand in a Flow: the end of a sentence, or nothing."""
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(value).__mro__)
    return next((_INSTEAD[name] for name in names if name in _INSTEAD), "")


class PlacedError(FlowBuildError):
    """A `FlowBuildError` whose message names the screen and the component."""


def placed(error: FlowBuildError | RecursionError, screen: str, component: object = None) -> FlowBuildError:
    """The error with its place, which the innermost component gives."""
    if isinstance(error, PlacedError):
        return error
    where = f"screen {screen}" if component is None else f"screen {screen}, {component!r}"
    if isinstance(error, RecursionError):
        return PlacedError(f"{where}: the values are nested too deeply: is one a part of itself?")
    return PlacedError(f"{where}: {error.message}")
