"""
How a client behaves, row by row, and how it is known.

`BEHAVIOUR` holds a row for each fact that the player follows. The code that follows one names its row, so that the row
leads to the code; what is a number, a text or an order in the fact stands in the row's `value`, and is changed there
when it proves wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from .._dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    How a behaviour is known: Meta documents it, it was observed in a client, or it is assumed.

    `source` is the page for what is documented; what was observed and when (`Meta's web client, 2026-08`) otherwise.
    """

    kind: Literal["documented", "observed", "assumed"]
    source: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.source}"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One fact about a client. `value` is what the code reads of it: None where there is nothing to read."""

    id: str
    fact: str
    evidence: Evidence
    value: Any = None


_PAGE: Final = Evidence("documented", "Meta, Flow JSON reference")
_ENDPOINT_PAGE: Final = Evidence("documented", "Meta, Implementing endpoints for Flows")
_CLIENT: Final = Evidence("observed", "Meta's web client, 2026-08")
_PICTURE: Final = Evidence("observed", "pictures in Meta's documentation, 2026-08")
_FIELD: Final = Evidence("observed", "field reports, Flow JSON 7.1")
_GUESS: Final = Evidence("assumed", "no source")

_ROWS: Final[tuple[tuple[str, str, Evidence, Any], ...]] = (
    # -- conditions
    ("condition.operators", "a comparison beside && or || is not evaluated as written, unless it has parentheses "
     "of its own", _CLIENT, None),
    ("condition.folding", "without parentheses, && comes first, then ||, then comparisons from left to right",
     Evidence("assumed", "fits what was observed in Meta's web client, 2026-08"),
     (("&&",), ("||",), ("==", "!=", "<", "<=", ">", ">="))),
    ("condition.backticks", "a condition in backticks is always false", _CLIENT, False),
    ("condition.whole-numbers", "numbers are cut to whole numbers before they are compared", _CLIENT, None),
    ("condition.empty", "no value and an empty text are equal, and no value counts as false", _GUESS, None),
    ("condition.unreadable", "a condition that cannot be parsed is false", _GUESS, False),
    # -- expressions
    ("expression.empty-is-zero", "no value and an empty text count as 0 in arithmetic", _CLIENT, 0),
    ("expression.division-by-zero", "/ and % by 0 or by nothing give 0", _CLIENT, 0),
    ("expression.rounding", "the result of arithmetic is rounded to 2 decimals", _CLIENT, 2),
    ("expression.equality", "an empty side equals only an empty side; numeric if one side is a number", _CLIENT, None),
    ("expression.ordering", "an order is false if a side is empty or none is a number, as for dates", _CLIENT, False),
    ("expression.logic", "&&, || and ! take every value by its truthiness", _CLIENT, None),
    ("expression.concatenation", "operands side by side are joined as text, and bind loosest", _CLIENT, None),
    ("expression.call", "a reference before an opening parenthesis is read as a call, which fails", _CLIENT, None),
    ("expression.brace", "every closing brace in a text constant vanishes", _CLIENT, "}"),
    ("expression.not-a-number", "what is no number counts as 0 in arithmetic", _GUESS, 0),
    ("expression.unreadable", "an expression that cannot be parsed or that fails has no value", _GUESS, None),
    # -- texts
    ("text.markdown", "TextBody and TextCaption: bold, italic, strikethrough, lists and links", _PAGE, None),
    ("rich-text.blocks", "RichText: headings, paragraphs, lists of one level, tables, inline images", _PAGE, None),
    ("rich-text.headings", "headings of level 3 to 6 look like body text", _PAGE, 2),
    ("rich-text.paragraphs", "a paragraph ends with an item of the array or at a blank line", _PAGE, None),
    ("text.links", "a link leads to http, https, mailto or tel; others are text", _GUESS,
     ("http", "https", "mailto", "tel")),
    ("text.cut", "a text is cut at the display length of its property", _CLIENT, None),
    ("reference.whole", "a reference beside other text is shown as written", _GUESS, None),
    ("reference.missing", "what a reference leads to is not there: the property is as if it were not given", _GUESS,
     None),
    # -- text fields
    ("text-input.label", "the label stands above the value", _PICTURE, None),
    ("text-input.optional", "optional fields are marked after the label, required ones are not", _PAGE, None),
    ("text-input.helper-text", "the error replaces the helper text below the field", _CLIENT, None),
    ("text-input.counter", "a counter shows how many characters are used", _CLIENT, None),
    ("text-input.no-emoji", "password and passcode take no emoji", _CLIENT, ("password", "passcode")),
    ("text-input.number-is-text", "the value of a number field is passed on as a text", _FIELD, None),
    ("text-input.checks", "length, email, passcode, phone and number are checked in this order, then the pattern",
     _CLIENT, None),
    ("text-input.min-chars", "too short is checked only if there is a value", _CLIENT, None),
    ("text-input.max-chars", "at most 80 characters, unless max-chars says otherwise", _CLIENT, 80),
    ("text-input.empty", "an empty optional field is not checked", _GUESS, None),
    ("text-input.email", "one @, and a domain with a dot", _GUESS, None),
    ("text-input.passcode", "a passcode has digits only", _CLIENT, None),
    ("text-input.phone", "digits, which blanks, dots, hyphens, slashes and parentheses may separate, and a leading +",
     _GUESS, None),
    ("text-input.number", "a number has a sign, separators of thousands, decimals and an exponent", _CLIENT, None),
    ("text-input.pattern", "the pattern is searched in the value: it has no anchors of its own", _CLIENT,
     ("text", "password", "passcode", "number")),
    ("text-input.broken-pattern", "a pattern that is not valid is passed by every value", _CLIENT, None),
    ("text-area.max-length", "the text is cut at max-length, 600 by default", _CLIENT, 600),
    # -- selections
    ("group.max-disables", "at max-selected-items the other options are disabled", _CLIENT, None),
    ("group.hint", "a hint says how many options may be selected", _CLIENT, None),
    ("group.count", "fewer than min or more than max is invalid, also if the group is optional and empty", _CLIENT,
     None),
    ("radio.checks", "RadioButtonsGroup: nothing but required is checked", _CLIENT, None),
    ("radio.media-size", "the images of options are regular or large", _PAGE, None),
    ("dropdown.offered", "a value that data-source does not have is invalid", _CLIENT, None),
    ("data-source.reset", "a value that is no longer offered is reset to an empty one", _CLIENT, None),
    ("init-value.not-offered", "an initial value that was not offered is kept until the options change", _GUESS, None),
    ("opt-in.read-more", "only an OptIn with on-click-action offers to read more", _PAGE, None),
    ("opt-in.untouched", "an OptIn that was never checked is false", _GUESS, None),
    ("opt-in.unchecked", "an OptIn that is unchecked has no value", _CLIENT, None),
    ("opt-in.optional", "optional ones are marked before the label", _CLIENT, None),
    ("opt-in.label", "the label is cut at 300 characters", _CLIENT, None),
    ("select-action.both", "without on-unselect-action, on-select-action fires when an option is deselected too", _PAGE,
     None),
    ("select-action.order", "the action of an option fires before that of its component; a choice deselects the option "
     "that it replaces first", _GUESS, None),
    ("select-action.first-render", "from 6.0 until 7.0, the on-select-action of a component fires when its screen is "
     "shown for the first time", Evidence("documented", "Meta, Flow JSON changelog"), ((6, 0), (7, 0))),
    # -- dates
    ("date-picker.range", "from 1900 to 2100, unless min-date and max-date say otherwise", _PAGE,
     ("1900-01-01", "2100-12-31")),
    ("date-picker.format", "YYYY-MM-DD from 5.0 on, milliseconds since 1970 before", _PAGE, None),
    ("date-picker.unavailable", "unavailable-dates cannot be chosen", _CLIENT, None),
    ("calendar-picker.modes", "one date, or a range with a start and an end", _PAGE, None),
    ("calendar-picker.required", "each end of a range can be required", _CLIENT, None),
    ("calendar-picker.days", "include-days, min-days, max-days and the order of start and end are checked", _CLIENT,
     None),
    ("calendar-picker.length", "min-days and max-days count the days of a range with both its ends", _GUESS, 1),
    # -- pictures and lists
    ("image.scale", "contain shows the whole picture, cover fills the space", _PAGE, "contain"),
    ("image.height", "Android draws a picture without a height 400 high", _PAGE, 400),
    ("image.types", "PNG, JPEG, WebP and GIF are drawn, whatever else base64 holds is not", _GUESS, None),
    ("image.size", "a larger image than the page recommends may not load", _PAGE, None),
    ("list.size", "a list has items, and no more than the page allows", _PAGE, None),
    ("list.ids", "the items of a list have ids, each its own", _CLIENT, None),
    ("carousel.images", "1 to 3 images", _PAGE, None),
    ("carousel.dots", "dots show which image of a carousel is seen", _PICTURE, None),
    ("navigation-list.limit", "a list with more than 20 items is not drawn", _PAGE, None),
    ("navigation-list.texts", "label and description are cut", _PAGE, None),
    ("navigation-list.image", "an image over 100 kB is replaced", _PAGE, None),
    ("link.web", "open_url leads to http and https, and nowhere else", _GUESS, ("http", "https")),
    # -- files
    ("picker.upload", "an upload that runs or has failed blocks the Footer", _CLIENT, None),
    ("picker.count", "the least and the greatest number of files are checked: 0 and 30 by default", _CLIENT, (0, 30)),
    ("picker.size", "a file is at most max-file-size-kb, 25600 by default", _PAGE, 25600),
    ("picker.type", "a document is of one of allowed-mime-types, if its type is known", _GUESS, None),
    # -- Footer, branches, Form, frame
    ("footer.captions", "captions on the left and the right, or in the centre", _PAGE, None),
    ("footer.enabled", "enabled if its property says so and every shown field is valid", _CLIENT, None),
    ("footer.loading", "disabled while a request is on its way", _CLIENT, None),
    ("footer.navigate", "with navigate, disabled until the payload of the next screen is there", _PAGE, None),
    ("branch.shown-only", "only fields in the branch that is shown count for validity", _CLIENT, None),
    ("switch.default", "without a fitting case, Switch shows the case named default", _CLIENT, "default"),
    ("form.first", "only the first Form at the top of the layout gives init-values and error-messages; without one the "
     "components do, also those in If and Switch", _CLIENT, None),
    ("frame.sheet", "a sheet over a dimmed chat, with a centred title and a line below that names the business", _PAGE,
     None),
    ("frame.platforms", "Android and iOS differ in layout", _PICTURE, None),
    ("init-value.changed", "an initial value that changes replaces what the user has not changed", _GUESS, None),
    # -- validity
    ("validity.hidden", "a hidden field is not checked", _CLIENT, None),
    ("validity.required", "required: a boolean is true, a text is not blank, a list is not empty", _CLIENT, None),
    ("error.touched", "an error is shown after the field was touched, and not while it has the focus", _CLIENT, None),
    ("error.of-server", "an error that the server sent stays until the value changes", _CLIENT, None),
    # -- state and moves
    ("state.form", "what was entered on a screen survives leaving it", _CLIENT, None),
    ("state.merge", "navigate, data_exchange and update_data merge into the data of the screen", _CLIENT, None),
    ("back.kept", "going back keeps the earlier data and input", _PAGE, None),
    ("back.refresh", "with refresh_on_back, going back sends BACK with the screen that is left", _ENDPOINT_PAGE, None),
    ("move.previous", "a move to the previous screen goes back to it", _CLIENT, None),
    ("move.answer", "an answer leads along a route in either direction, to the same screen unless it has a "
     "NavigationList, on INIT to a screen without incoming routes, or to an older screen with a route or "
     "refresh_on_back", Evidence("observed", "Meta's web client, 2026-08; two field reports"), None),
    ("data.checked", "data is checked against the data model of the screen it is for: keys, types, number of items; "
     "undeclared keys are kept", _CLIENT, None),
    ("data.same-screen", "an answer that stays on its screen need not repeat what the screen has", _ENDPOINT_PAGE,
     None),
    ("payload.deep", "references are replaced anywhere in a payload, but not in the actions of options", _GUESS, None),
    ("data.no-model", "a screen without a data model gets no data", _CLIENT, None),
    ("data.update", "update_data sets no key outside the data model", _CLIENT, None),
    ("routes.inferred", "without a routing model, the navigate actions are the routes", _CLIENT, None),
    ("snackbar.seconds", "an error_message is shown for 4.5 s up to 45 characters, otherwise 7 s", _CLIENT,
     (45, 4.5, 7.0)),
    ("complete.payload", "the message holds the payload and the flow_token", _CLIENT, None),
    ("complete.params", "after SUCCESS the message holds extension_message_response.params and nothing else", _CLIENT,
     None),
    ("complete.unsent", "after SUCCESS without params the Flow closes, and no message is sent", _CLIENT, None),
    ("summary.fields", "the summary has the fields of the screens from the first to the last, as far as they are shown "
     "and have a value", _GUESS, None),
    ("summary.titles", "the summary shows titles for ids", _PAGE, None),
    ("summary.masked", "sensitive fields but OptIn are shown as 12 bullets", _CLIENT, "\u2022" * 12),
    ("summary.left-out", "password, passcode and pickers of files are not in the summary", _CLIENT, None),
    ("endpoint.421", "after 421 the public key is fetched again, and the request is sent once more", _ENDPOINT_PAGE,
     None),
    ("endpoint.427", "after 427 the button of the message is disabled for good", _ENDPOINT_PAGE, None),
)  # fmt: skip

BEHAVIOUR: Final[Mapping[str, Behaviour]] = MappingProxyType({row[0]: Behaviour(*row) for row in _ROWS})
"""What a client does, by the ids of the rows."""
