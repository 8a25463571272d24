"""
A language server for Flow JSON: findings, completion, hover, definitions, rename and remedies in an editor.

All of it but `_server.py` is pure: a text and a position in, values out, without pygls. A text may be half written at
any time. `_tree.py` reads it, `_cursor.py` finds a position in it, `_meaning.py` says what the tables have there,
`_names.py` which names the document has; each feature is a module on top.
"""

from typing import TYPE_CHECKING, Final

from .._lazy import lazy_names

if TYPE_CHECKING:
    from ._server import serve

__all__ = ["serve"]

_LAZY: Final = {"._server": ("serve",)}

__getattr__ = lazy_names(__name__, _LAZY)
