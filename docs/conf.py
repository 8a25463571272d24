"""Sphinx settings: furo, MyST, and the API reference from the docstrings."""

from __future__ import annotations

import sys
from pathlib import Path

import django
from django.conf import settings
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent.parent))

from whatsapp_flows import __version__

# autodoc imports whatsapp_flows.contrib.django, whose models need a project.
settings.configure(
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "whatsapp_flows.contrib.django",
    ],
    USE_TZ=True,
)
django.setup()

project = "whatsapp-flows-sdk"
author = "The whatsapp-flows-sdk maintainers"
copyright = "2026, the whatsapp-flows-sdk maintainers"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
myst_heading_anchors = 4
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"whatsapp-flows-sdk {version}"
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["custom.css"]

default_role = "code"  # what the docstrings put between backticks
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
nitpicky = False


def setup(app: Sphinx) -> None:
    """Leaves out the docstrings of modules: they explain the code to its maintainers, and are not reStructuredText."""
    app.connect("autodoc-process-docstring", _without_modules)


def _without_modules(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    if what == "module":
        lines.clear()
