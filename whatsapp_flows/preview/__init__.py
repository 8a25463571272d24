"""
A Flow in the browser: a page that plays a Flow JSON file, and follows it while it is edited. Extra `emulator`.

    with Preview("booking.json") as preview:
        print(preview.url)
"""

from typing import TYPE_CHECKING, Final

from .._lazy import lazy_names

if TYPE_CHECKING:
    from ._preview import Preview

__all__ = ["Preview"]

_MODULES: Final = {"._preview": ("Preview",)}

if not TYPE_CHECKING:
    __getattr__ = lazy_names(__name__, _MODULES)
