"""
The tables of the components: where each may stand, and its properties.

One row a property, in the order of Meta's pages. A new property is a row with `since`; a changed one a second row, the
first then ending with `until`. Sources: Meta, Flow JSON reference; Meta's client validator, August 2026. Where the two
differ, the client decides what is an error.
"""

from __future__ import annotations

from typing import Final

from ._rows import Property, Shape

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FONT_WEIGHTS: Final = ("bold", "italic", "bold_italic", "normal")
MIME_TYPES: Final = (
    "application/pdf",
    "image/png",
    "image/jpeg",
    "image/avif",
    "image/heic",
    "image/heif",
    "image/gif",
    "image/tiff",
    "image/webp",
    "application/zip",
    "application/gzip",
    "application/x-7z-compressed",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.oasis.opendocument.presentation",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.text",
    "video/mp4",
    "video/mpeg",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "text/plain",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/xml",
)

# The places where a component may stand since a version: the layout, a Form, a branch of an If, a case of a Switch.
_TEXT: Final = {"layout": "2.1", "Form": "2.1", "If": "4.0", "Switch": "4.0"}
_INPUT: Final = {"layout": "4.0", "Form": "2.1", "If": "4.0", "Switch": "4.0"}
_PICKER: Final = {"layout": "4.0", "Form": "4.0", "If": "4.0", "Switch": "4.0"}
_BRANCHING: Final = {"layout": "4.0", "Form": "4.0", "If": "4.0"}

COMPONENTS: Final = (
    Shape(
        "TextHeading",
        (
            Property("text", "text", required=True, display_length=80),
            Property("visible", "bool", default=True),
        ),
        places=_TEXT,
    ),
    Shape(
        "TextSubheading",
        (
            Property("text", "text", required=True, display_length=80),
            Property("visible", "bool", default=True),
        ),
        places=_TEXT,
    ),
    Shape(
        "TextBody",
        (
            Property("text", "text|array<text>", required=True, display_length=4096),
            Property("visible", "bool", default=True),
            Property("font-weight", "enum|binding", values=FONT_WEIGHTS),
            Property("strikethrough", "bool", default=False),
            Property("markdown", "static-bool", since="5.1", default=False),
        ),
        places=_TEXT,
    ),
    Shape(
        "TextCaption",
        (
            Property("text", "text|array<text>", required=True, display_length=4096),
            Property("visible", "bool", default=True),
            Property("font-weight", "enum|binding", values=FONT_WEIGHTS),
            Property("strikethrough", "bool", default=False),
            Property("markdown", "static-bool", since="5.1", default=False),
        ),
        places=_TEXT,
    ),
    Shape(
        "RichText",
        (
            Property("text", "string|array<string>", required=True),
            Property("visible", "bool", default=True),
        ),
        places={"layout": "5.1"},
    ),
    Shape(
        "TextInput",
        (
            Property("name", "name", required=True),
            Property("label", "label1", required=True, display_length=20),
            Property("label-variant", "enum", since="7.0", values=("large",)),
            Property(
                "input-type",
                "enum",
                values=("text", "number", "email", "password", "passcode", "phone"),
                default="text",
            ),
            Property("pattern", "string", since="6.2", format="regex"),
            Property("helper-text", "string", display_length=80),
            Property("required", "bool", default=False),
            Property("min-chars", "number"),
            Property("max-chars", "number", default=80),
            Property("enabled", "bool", default=True),
            Property("visible", "bool", default=True),
            Property("init-value", "string", since="4.0", outside_form=True),
            Property("error-message", "string", since="4.0", outside_form=True, display_length=30),
        ),
        places=_INPUT,
        restricts=(("pattern", "input-type", ("text", "number", "password", "passcode")),),
    ),
    Shape(
        "TextArea",
        (
            Property("name", "name", required=True),
            Property("label", "string", required=True, display_length=20),
            Property("label-variant", "enum", since="7.0", values=("large",)),
            Property("helper-text", "string", display_length=80),
            Property("required", "bool", default=False),
            Property("max-length", "int", default=600),
            Property("enabled", "bool", default=True),
            Property("visible", "bool", default=True),
            Property("init-value", "string", since="4.0", outside_form=True),
            Property("error-message", "string", since="4.0", outside_form=True),
        ),
        places=_INPUT,
    ),
    Shape(
        "CheckboxGroup",
        (
            Property("name", "name", required=True),
            Property(
                "data-source",
                "array<object>|binding",
                required=True,
                item="data_source_item",
                min_items=1,
                advised_items=(1, 20),
            ),
            Property("label", "text", until="3.1", display_length=30),
            Property("label", "text", required=True, since="4.0", display_length=80),
            Property("description", "string", since="4.0", display_length=300),
            Property("required", "bool", default=False),
            Property("enabled", "bool", default=True),
            Property("visible", "bool", default=True),
            Property("media-size", "enum", since="5.0", values=("regular", "large"), tolerated="any"),
            Property("on-select-action", "action:on-select", values=("data_exchange",), until="5.2"),
            Property("on-select-action", "action:on-select", values=("data_exchange", "update_data"), since="6.0"),
            Property("on-unselect-action", "action:on-select", since="6.0", values=("update_data",)),
            Property("min-selected-items", "number", minimum=0),
            Property("max-selected-items", "number", minimum=2),
            Property("init-value", "array<string>|binding", since="4.0", outside_form=True),
            Property("error-message", "string", since="4.0", outside_form=True),
        ),
        places=_INPUT,
    ),
    Shape(
        "RadioButtonsGroup",
        (
            Property("name", "name", required=True),
            Property(
                "data-source",
                "array<object>|binding",
                required=True,
                item="data_source_item",
                min_items=1,
                advised_items=(1, 20),
            ),
            Property("label", "string", until="3.1", display_length=30),
            Property("label", "string", required=True, since="4.0", display_length=80),
            Property("description", "string", since="4.0", display_length=300),
            Property("required", "bool", default=False),
            Property("enabled", "bool", default=True),
            Property("visible", "bool", default=True),
            Property("media-size", "enum", since="5.0", values=("regular", "large"), tolerated="any"),
            Property("on-select-action", "action:on-select", values=("data_exchange",), until="5.2"),
            Property("on-select-action", "action:on-select", values=("data_exchange", "update_data"), since="6.0"),
            Property("on-unselect-action", "action:on-select", since="6.0", values=("update_data",)),
            Property("init-value", "string", since="4.0", outside_form=True),
            Property("error-message", "string", since="4.0", outside_form=True),
        ),
        places=_INPUT,
    ),
    Shape(
        "Dropdown",
        (
            Property("name", "name", required=True),
            Property("label", "label1", required=True, display_length=20),
            Property(
                "data-source",
                "array<object>|binding",
                required=True,
                item="data_source_item",
                min_items=1,
                advised_items=(1, 200),
            ),
            Property("required", "bool", default=False),
            Property("enabled", "bool", default=True),
            Property("visible", "bool", default=True),
            Property("on-select-action", "action:on-select", values=("data_exchange",), until="5.2"),
            Property("on-select-action", "action:on-select", values=("data_exchange", "update_data"), since="6.0"),
            Property("on-unselect-action", "action:on-select", since="6.0", values=("update_data",)),
            Property("init-value", "string", since="4.0", outside_form=True),
            Property("error-message", "string", since="4.0", outside_form=True),
        ),
        places=_INPUT,
    ),
    Shape(
        "ChipsSelector",
        (
            Property("name", "name", required=True),
            Property("label", "string", required=True, display_length=80),
            Property(
                "data-source",
                "array<object>|binding",
                required=True,
                item="chips_item",
                min_items=1,
                advised_items=(2, 20),
            ),
            Property("description", "string", display_length=300),
            Property("required", "bool", default=False),
            Property("enabled", "bool", default=True),
            Property("visible", "bool", default=True),
            Property("min-selected-items", "number", minimum=0),
            Property("max-selected-items", "number", minimum=1),
            Property("on-select-action", "action:on-select", since="7.1", values=("data_exchange", "update_data")),
            Property("on-unselect-action", "action:on-select", since="7.1", values=("update_data",)),
            Property("init-value", "array<string>|binding", outside_form=True),
            Property("error-message", "string", outside_form=True),
        ),
        places={"layout": "6.3", "Form": "6.3", "If": "7.1", "Switch": "7.1"},
    ),
    Shape(
        "OptIn",
        (
            Property("name", "name", required=True),
            Property("label", "label1", required=True, display_length=300),
            Property("required", "bool", default=False),
            Property("visible", "bool", default=True),
            Property("on-click-action", "action:on-click", values=("data_exchange", "navigate"), until="5.2"),
            Property(
                "on-click-action", "action:on-click", values=("data_exchange", "navigate", "open_url"), since="6.0"
            ),
            Property("on-select-action", "action:on-select", since="6.0", values=("update_data",)),
            Property("on-unselect-action", "action:on-select", since="6.0", values=("update_data",)),
            Property("init-value", "bool", since="4.0", outside_form=True),
        ),
        places=_INPUT,
    ),
    Shape(
        "EmbeddedLink",
        (
            Property("text", "text", required=True, display_length=30),
            Property(
                "on-click-action", "action:on-click", required=True, values=("data_exchange", "navigate"), until="5.2"
            ),
            Property(
                "on-click-action",
                "action:on-click",
                required=True,
                values=("data_exchange", "navigate", "open_url"),
                since="6.0",
            ),
            Property("visible", "bool", default=True),
        ),
        places=_TEXT,
    ),
    Shape(
        "DatePicker",
        (
            Property("name", "name", required=True),
            Property("label", "label1", required=True, display_length=40),
            Property("helper-text", "string", display_length=80),
            Property("required", "bool", default=False),
            Property("enabled", "bool", default=True),
            Property("visible", "bool", default=True),
            Property("min-date", "string", default="1900-01-01"),
            Property("max-date", "string", default="2100-12-31"),
            Property("unavailable-dates", "array<string>|binding"),
            Property("on-select-action", "action:on-select", values=("data_exchange",)),
            Property("init-value", "string", since="4.0", outside_form=True),
            Property("error-message", "string", since="4.0", outside_form=True, display_length=80),
        ),
        places=_INPUT,
    ),
    Shape(
        "CalendarPicker",
        (
            Property("name", "name", required=True),
            Property("label", "calendar<string>", required=True, display_length=40),
            Property("title", "string", display_length=80),
            Property("description", "string", display_length=300),
            Property("mode", "enum|binding", values=("single", "range"), default="single"),
            Property("helper-text", "calendar<string>", display_length=80),
            Property("required", "calendar<bool>", default=False),
            Property("enabled", "bool", default=True),
            Property("visible", "bool", default=True),
            Property("min-date", "string"),
            Property("max-date", "string"),
            Property("unavailable-dates", "array<string>|binding"),
            Property("include-days", "array<enum>|binding", values=DAYS, min_items=1, default=DAYS),
            Property("min-days", "int"),
            Property("max-days", "int"),
            Property("on-select-action", "action:on-select", values=("data_exchange",)),
            Property("init-value", "calendar<string>", outside_form=True),
            Property("error-message", "calendar<string>", outside_form=True, display_length=80),
        ),
        places={"layout": "6.1", "Form": "6.1", "If": "6.1", "Switch": "6.1"},
    ),
    Shape(
        "Image",
        (
            Property("src", "base64", required=True, advised_bytes=307200),
            Property("width", "number"),
            Property("height", "number"),
            Property("scale-type", "enum", values=("cover", "contain"), default="contain"),
            Property("aspect-ratio", "number", default=1),
            Property("alt-text", "string"),
            Property("visible", "bool", default=True),
        ),
        places=_TEXT,
    ),
    Shape(
        "ImageCarousel",
        (
            Property("images", "array<object>|binding", required=True, item="carousel_item", min_items=1),
            Property("aspect-ratio", "enum", values=("4:3", "16:9"), default="4:3"),
            Property("scale-type", "enum", values=("contain", "cover"), default="contain"),
            Property("visible", "bool", default=True),
        ),
        places={"layout": "7.1", "Form": "7.1"},
    ),
    Shape(
        "PhotoPicker",
        (
            Property("name", "name", required=True),
            Property("label", "text", required=True, display_length=80),
            Property("description", "text", display_length=300),
            Property("photo-source", "enum", values=("camera_gallery", "camera", "gallery"), default="camera_gallery"),
            Property("max-file-size-kb", "static-int", minimum=1, maximum=25600, default=25600),
            Property("min-uploaded-photos", "static-int", minimum=0, maximum=30, default=0),
            Property("max-uploaded-photos", "static-int", minimum=1, maximum=30, default=30),
            Property("enabled", "bool", default=True),
            Property("visible", "bool", default=True),
            Property("error-message", "string|object", outside_form=True),
        ),
        places=_PICKER,
    ),
    Shape(
        "DocumentPicker",
        (
            Property("name", "name", required=True),
            Property("label", "text", required=True, display_length=80),
            Property("description", "text", display_length=300),
            Property("max-file-size-kb", "static-int", minimum=1, maximum=25600, default=25600),
            Property("min-uploaded-documents", "static-int", minimum=0, maximum=30, default=0),
            Property("max-uploaded-documents", "static-int", minimum=1, maximum=30, default=30),
            Property("allowed-mime-types", "array<enum>", values=MIME_TYPES, min_items=1),
            Property("enabled", "bool", default=True),
            Property("visible", "bool", default=True),
            Property("error-message", "string|object", outside_form=True),
        ),
        places=_PICKER,
    ),
    Shape(
        "NavigationList",
        (
            Property("name", "name", required=True),
            Property(
                "list-items",
                "array<object>|binding",
                required=True,
                item="nav_item",
                min_items=1,
                advised_items=(1, 20),
            ),
            Property("label", "string", display_length=80),
            Property("description", "string", display_length=300),
            Property("media-size", "enum", values=("regular", "large"), tolerated="binding", default="regular"),
            Property("on-click-action", "action:on-click", values=("data_exchange", "navigate")),
        ),
        places={"layout": "6.2", "Form": "6.2"},
    ),
    Shape(
        "Footer",
        (
            Property("label", "label1", required=True, display_length=35),
            Property("left-caption", "string", display_length=15),
            Property("center-caption", "string", display_length=15),
            Property("right-caption", "string", display_length=15),
            Property("enabled", "bool", default=True),
            Property(
                "on-click-action", "action:on-click", required=True, values=("data_exchange", "navigate", "complete")
            ),
        ),
        places=_TEXT,
        both_or_neither=(("left-caption", "right-caption"),),
        excludes=(("center-caption", ("left-caption", "right-caption")),),
    ),
    Shape(
        "Form",
        (
            Property("name", "label1", required=True),
            Property("children", "components", required=True),
            Property("init-values", "object|binding"),
            Property("error-messages", "messages"),
        ),
        places={"layout": "2.1"},
    ),
    Shape(
        "If",
        (
            Property("condition", "condition", required=True),
            Property("then", "components", required=True),
            Property("else", "components"),
        ),
        places=_BRANCHING,
    ),
    Shape(
        "Switch",
        (
            Property("value", "binding", required=True),
            Property("cases", "map<components>", required=True),
        ),
        places=_BRANCHING,
    ),
)
