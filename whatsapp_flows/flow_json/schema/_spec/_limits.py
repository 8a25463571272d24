"""
Limits of what the client app shows that hang on more than one property. The others stand in the rows of properties.

Sources: Meta, Flow JSON reference ("TextInput", "Dropdown", "ImageCarousel"); Meta's client, August 2026.
"""

from __future__ import annotations

from typing import Final

LARGE_LABEL: Final = 150  # characters of a label with label-variant large
DROPDOWN_WITH_IMAGES: Final = 100  # items of a Dropdown one of which has an image
CAROUSEL_IMAGES: Final = 3
