"""
The versions of Flow JSON, and what changes with a version as a whole.

Sources: Meta, Flow JSON reference and changelog; Meta's client validator, August 2026.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from ._rows import Version, VersionRow

RECOMMENDED: Final = Version(7, 3)

VERSIONS: Final = (
    VersionRow(Version(2, 1), released=date(2023, 10, 10), frozen=date(2025, 4, 8)),
    VersionRow(Version(3, 0), released=date(2023, 12, 1), frozen=date(2025, 4, 8)),  # only the month is known
    VersionRow(Version(3, 1), released=date(2024, 1, 1), frozen=date(2025, 4, 8)),  # only the month is known
    VersionRow(Version(4, 0), released=date(2024, 6, 1), frozen=date(2025, 4, 8)),  # May or June
    VersionRow(Version(5, 0), released=date(2024, 8, 13), frozen=date(2025, 9, 9)),  # Meta names the 9th and the 10th
    VersionRow(Version(5, 1), released=date(2024, 9, 16)),
    VersionRow(
        Version(5, 2),  # never public
        data_api=("3.0", "3.1"),
        layouts=("SingleColumnLayout", "ItemDetailLayout", "CategoryListLayout", "ItemListLayout", "CartLayout"),
    ),
    VersionRow(Version(6, 0), released=date(2024, 11, 12)),
    VersionRow(Version(6, 1), released=date(2024, 11, 12)),
    VersionRow(Version(6, 2), released=date(2024, 12, 10)),
    VersionRow(Version(6, 3), released=date(2025, 1, 14)),
    VersionRow(Version(7, 0), released=date(2025, 3, 11)),
    VersionRow(Version(7, 1), released=date(2025, 6, 10)),
    VersionRow(Version(7, 2), released=date(2025, 7, 8)),
    VersionRow(Version(7, 3), released=date(2025, 9, 10), data_api=("3.0", "4.0")),
    VersionRow(Version(7, 4), data_api=("3.0", "4.0")),  # in Meta's client, on no page of Meta's
)

# Betas and archived versions: Meta's client knows the numbers, and accepts none of them.
WITHDRAWN: Final = frozenset({"1.0", "1.1", "1.10", "1.20", "2.0", "2.2", "2.99", "3.2", "4.1"})

# What is a binding: (first version, pattern, how to write it in a message). Anchored at the start only,
# as Meta's are from 4.0: text after the closing brace still matches.
BINDINGS: Final = (
    (Version(2, 1), r"\$\{data\..+\}$", "${data.field}"),
    (Version(4, 0), r"\$\{(screen\.[a-zA-Z,_]*\.)?(data|form)(\.[\w-]+)+\}", "${data.field} or ${form.name}"),
    (
        Version(6, 0),
        r"\$\{(screen\.[a-zA-Z,_]*\.)?(data|form)(\.[\w-]+)+\}|`.+`",
        "${data.field}, ${form.name} or `expression`",
    ),
)
# What is not allowed where a fixed text is required: looser than the above, so that "${data.a b}" is neither.
NOT_A_BINDING: Final = r"\$\{(screen\.[a-zA-Z,_]*\.)?(data|form)\..+\}"
LOOSE_BINDING: Final = r"\$\{(screen\.[a-zA-Z,_]*\.)?(data|form)\..*\}$"  # `enabled` of an item

# Kind -> first version that refuses a blank string of that kind.
NOT_BLANK: Final = {
    "label1": Version(6, 0),
    "name": Version(2, 1),
    "string": Version(6, 0),
    "text": Version(5, 1),
}
NAMES_ARE_FIXED: Final = Version(6, 0)  # a name may be neither a binding nor an expression
TEXT_LISTS: Final = Version(5, 1)
TOLERANT: Final = Version(6, 0)  # Meta's client drops some failures from here on: `Property.tolerated`
CONDITION_MAY_BE_BOOLEAN: Final = Version(6, 0)
ERROR_MESSAGES_OF_ANY_TYPE: Final = Version(6, 0)
