"""
What components and properties are, in a sentence each, and the limits that the tables state: for editors and docs.

Source: Meta, Flow JSON reference, in our own words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ._spec import Property

COMPONENT_TEXTS: Final[Mapping[str, str]] = {
    "TextHeading": "A large heading.",
    "TextSubheading": "A smaller heading.",
    "TextBody": "A paragraph; with markdown it may have bold, italic, struck through text, lists and links.",
    "TextCaption": "A paragraph in small letters; with markdown as TextBody.",
    "RichText": "A whole page of Markdown, with headings, tables and images.",
    "TextInput": "A line of text, a number, an e-mail address, a phone number or a password.",
    "TextArea": "A text of several lines.",
    "CheckboxGroup": "A list from which any number of options is chosen. Its value is a list of their ids.",
    "RadioButtonsGroup": "A list from which one option is chosen. Its value is the id of the option.",
    "Dropdown": "A list that opens, from which one option is chosen. Its value is the id of the option.",
    "ChipsSelector": "Short options side by side, of which any number is chosen. Its value is a list of their ids.",
    "OptIn": "A box to tick, with a text. Its value is a boolean.",
    "EmbeddedLink": "A link within the screen.",
    "DatePicker": "A date. Its value is a text, YYYY-MM-DD; before 5.0 milliseconds since 1970 as a text.",
    "CalendarPicker": "A date, or a range of dates. Its value is a text, YYYY-MM-DD, or an object of two of them.",
    "Image": "A picture: base64 text of a JPEG or PNG file, without a data: prefix.",
    "ImageCarousel": "Up to three pictures, of which one is shown.",
    "PhotoPicker": "Takes photos. Its value is a list of uploaded files.",
    "DocumentPicker": "Takes files. Its value is a list of uploaded files.",
    "NavigationList": "A list of which each item leads on.",
    "Footer": "The button at the bottom of the screen.",
    "Form": "A group of inputs. From 4.0 on, inputs may stand on a screen without a Form.",
    "If": "Shows its then where a condition holds, otherwise its else.",
    "Switch": "Shows the case that a text names.",
}

# A property means the same wherever it stands, but for those with the name of a shape before theirs.
PROPERTY_TEXTS: Final[Mapping[str, str]] = {
    "CalendarPicker.description": "Text below the title, in range mode.",
    "CalendarPicker.mode": "One date, or a range with a start and an end.",
    "CalendarPicker.title": "Text above a range.",
    "Footer.label": "Text of the button.",
    "ImageCarousel.aspect-ratio": "Shape of the pictures, width to height.",
    "OptIn.label": "Text beside the box.",
    "OptIn.on-click-action": "What a tap on the link after the label does. Without it there is no link.",
    "Switch.value": "The text that names the case.",
    "next.name": "Id of the screen to go to.",
    "next.type": "Always screen.",
    "on-click-action.name": "What is done.",
    "the action.name": "What is done.",
    "the layout.type": "The only layout.",
    "a screen.data": "The data that the screen takes: a JSON schema with an __example__ for each field.",
    "a screen.id": "Name of the screen, of letters and underscores; SUCCESS is reserved.",
    "a screen.title": "Text at the top of the screen.",
    "allowed-mime-types": "Which types of files are offered.",
    "alt-text": "What the picture shows, for screen readers.",
    "aspect-ratio": "Width to height.",
    "badge": "A short mark on the item.",
    "cases": "The components of each case, by the text that names it.",
    "center-caption": "Small text over the middle of the button.",
    "children": "The components, from top to bottom.",
    "color": "Colour beside the option, as #RRGGBB.",
    "condition": "A comparison of references and literals, such as (${form.age} > 17). No backticks.",
    "data-source": "The options.",
    "data_api_version": "Version of the data exchange with an endpoint. Needed for data_exchange.",
    "data_channel_uri": "URL of the endpoint.",
    "description": "Text below the label.",
    "else": "What is shown where the condition does not hold.",
    "enabled": "Whether it can be used.",
    "end": "Texts at the end of the item.",
    "error-message": "Text that is shown as the error of the field.",
    "error-messages": "Texts that are shown as errors, by the names of the inputs.",
    "font-weight": "Bold, italic, both or neither.",
    "height": "Height in pixels.",
    "helper-text": "Text below the field.",
    "id": "Name of the item. The value of the component holds it.",
    "image": "A picture: base64 text, without a data: prefix.",
    "images": "The pictures.",
    "include-days": "The days of the week that can be chosen.",
    "init-value": "Value at the beginning.",
    "init-values": "Values at the beginning, by the names of the inputs.",
    "input-type": "What is entered; decides the keyboard and the checks.",
    "label": "Text that names it.",
    "label-variant": "Large allows longer labels.",
    "layout": "What the screen shows.",
    "left-caption": "Small text over the left of the button.",
    "list-items": "The items.",
    "main-content": "The texts of the item.",
    "markdown": "Whether the text is Markdown.",
    "max-chars": "The most characters.",
    "max-date": "The last date that can be chosen.",
    "max-days": "The longest range, in days.",
    "max-file-size-kb": "The largest file, in kilobytes.",
    "max-length": "The most characters.",
    "max-selected-items": "The most options.",
    "max-uploaded-documents": "The most files.",
    "max-uploaded-photos": "The most photos.",
    "media-size": "Size of the pictures beside the options.",
    "meta": "Reserved for Meta's own tools.",
    "metadata": "Further text beside the option.",
    "min-chars": "The least characters, if it is not empty.",
    "min-date": "The first date that can be chosen.",
    "min-days": "The shortest range, in days.",
    "min-selected-items": "The least options.",
    "min-uploaded-documents": "The least files.",
    "min-uploaded-photos": "The least photos.",
    "mode": "How it is used.",
    "name": "Name of the component. References and payloads use it.",
    "next": 'The screen to go to: {"type": "screen", "name": "ID"}.',
    "on-click-action": "What a tap does.",
    "on-select-action": "What selecting does; also what deselecting does where there is no on-unselect-action.",
    "on-unselect-action": "What deselecting does.",
    "pattern": "Regular expression that the value has to fit; write it as ^(?:...)$. Needs a helper-text.",
    "payload": "The values that are passed on, by their names.",
    "photo-source": "Where photos may come from.",
    "refresh_on_back": "Whether going back from this screen asks the endpoint.",
    "required": "Whether a value is needed.",
    "right-caption": "Small text over the right of the button.",
    "routing_model": "Which screens follow which, in forward direction. Needed with data_api_version.",
    "scale-type": "Whether the picture is cut to fill its place, or shown whole.",
    "screens": "The screens.",
    "sensitive": "Names of inputs whose values the summary in the chat masks.",
    "src": "The picture: base64 text, without a data: prefix.",
    "start": "Picture at the start of the item.",
    "strikethrough": "Whether the text is struck through.",
    "success": "Whether ending here counts as a success.",
    "tags": "Short texts below the item.",
    "terminal": "Whether the Flow may end on this screen.",
    "text": "The text.",
    "then": "What is shown where the condition holds.",
    "title": "Text of the item.",
    "type": "Type of the component.",
    "unavailable-dates": "Dates that cannot be chosen.",
    "url": "Address of the page.",
    "value": "The value.",
    "version": "Version of Flow JSON.",
    "visible": "Whether it is shown.",
    "width": "Width in pixels.",
}


def describe_property(shape: str, row: Property) -> str:
    """What a property is, and its facts: `Text that names it. Required; 20 characters are shown.`"""
    found = PROPERTY_TEXTS.get(f"{shape}.{row.name}") or PROPERTY_TEXTS.get(row.name, "")
    facts = "; ".join(property_facts(row))
    return f"{found} {facts[:1].upper()}{facts[1:]}." if facts else found


def property_facts(row: Property) -> Iterator[str]:
    """The limits of a property, its default, and the versions that have it."""
    if row.required:
        yield "required"
    yield from property_limits(row)
    if row.default is not None and not isinstance(row.default, tuple):
        shown = str(row.default).lower() if isinstance(row.default, bool) else row.default
        yield f"default {shown}"
    if row.since:
        yield f"since {row.since}"
    if row.until:
        yield f"until {row.until}"
    if row.outside_form:
        yield "not in a Form"


def property_limits(row: Property) -> Iterator[str]:
    """How long, how many, how large."""
    if row.display_length:
        yield f"{row.display_length} characters are shown"
    if row.advised_items:
        yield "{} to {} items".format(*row.advised_items)
    elif row.min_items is not None or row.max_items is not None:
        least, most = row.min_items or 0, row.max_items
        yield f"at least {least}" if most is None else f"{least} to {most}"
    if row.minimum is not None or row.maximum is not None:
        yield f"from {row.minimum}" + ("" if row.maximum is None else f" to {row.maximum}")
    if row.advised_bytes:
        yield f"at most {row.advised_bytes // 1024} kB"
