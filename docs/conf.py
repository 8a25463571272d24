"""Sphinx settings: furo, MyST, the API from docstrings, the error table from the code."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent / "_ext")]

from whatsapp_flows import __version__

project = "whatsapp-flows-sdk"
author = "The whatsapp-flows-sdk maintainers"
copyright = "2026, the whatsapp-flows-sdk maintainers"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "error_table"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
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
