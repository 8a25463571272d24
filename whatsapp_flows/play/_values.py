"""What a screen looks like: plain values that a page draws and a test asserts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._dataclasses import dataclass, field
from ._behaviour import Evidence
from ._events import Snackbar


@dataclass(frozen=True, slots=True)
class Issue:
    """
    What is noteworthy about a component or a screen: it cannot be played, its text is cut, a pattern is not checked.

    `blocking`: the component cannot be drawn as a client would. `evidence` says how a client's behaviour is known.
    """

    text: str
    evidence: Evidence | None = None
    blocking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """How many characters of a text field are used."""

    count: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """
    A component as the user sees it.

    `path` is its JSON pointer in the document. `kind` is its type (`TextInput`); Form, If and Switch are no nodes: what
    stands in them does. `name` is empty where it has none. `props` are its properties by their names in Flow JSON, with
    references and expressions replaced by their values and defaults filled in; a key that cannot be resolved is left
    out, with an issue. Lists of options (`data-source`, `list-items`) hold mappings, in which `selected` and `enabled`
    say what is true now. A text with Markdown stands as blocks in `props["blocks"]`, see `Block`. Do not change them:
    views share them.

    `value` is what the form holds: a text, a tuple of ids, a boolean, a mapping, a tuple of `UploadedFile`, or None.
    `error` is the text that is shown below the field; `invalid` is why its value is not valid ("required",
    "too-short", ...), also before the error is shown; both are empty if nothing is wrong. `enabled`: it can be used.
    `shown`: it is visible and stands in the branch that is taken.
    """

    path: str
    kind: str
    name: str
    props: Mapping[str, Any] = field(repr=False)
    value: Any = field(default=None, repr=False)
    error: str = ""
    invalid: str = ""
    enabled: bool = True
    shown: bool = True
    counter: Counter | None = None
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """
    What the user sees.

    `screen` is the id of the screen, empty while the Flow opens. `nodes` are all components of the screen in document
    order, without the Footer, also those that are not shown. `back` says whether the header offers to go back (on the
    first screen, it closes the Flow). `loading`: a request is on its way, and nothing can be used. `over`: the Flow has
    ended. `issues` are those of the screen.
    """

    screen: str
    title: str = ""
    back: bool = False
    nodes: tuple[Node, ...] = ()
    footer: Node | None = None
    snackbar: Snackbar | None = None
    issues: tuple[Issue, ...] = ()
    loading: bool = False
    over: bool = False

    def node(self, path: str) -> Node | None:
        """The node at a path, the Footer included."""
        if self.footer is not None and self.footer.path == path:
            return self.footer
        return next((node for node in self.nodes if node.path == path), None)

    def named(self, name: str) -> Node | None:
        """The node with a name; a shown one, if several have it."""
        found = [node for node in self.nodes if node.name == name]
        return next((node for node in found if node.shown), found[0] if found else None)
