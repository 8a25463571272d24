"""
A Flow in the browser: a page that plays a Flow JSON file, and follows it while it is edited. Extra `emulator`.

    with Preview("booking.json") as preview:
        print(preview.url)

And as pictures of its screens, which needs no extra:

    Path("booking.html").write_text(export("booking.json"), encoding="utf-8")
    screenshots("booking.json", "pictures")  # by the Chromium that is installed
"""

from typing import TYPE_CHECKING, Final

from .._lazy import lazy_names

if TYPE_CHECKING:
    from ._comparison import export_changes
    from ._export import export
    from ._preview import Preview
    from ._screenshots import screenshots

__all__ = ["Preview", "export", "export_changes", "screenshots"]

_MODULES: Final = {
    "._comparison": ("export_changes",),
    "._export": ("export",),
    "._preview": ("Preview",),
    "._screenshots": ("screenshots",),
}

if not TYPE_CHECKING:
    __getattr__ = lazy_names(__name__, _MODULES)
