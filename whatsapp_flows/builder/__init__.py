"""
Flows as typed Python.

    age = TextInput(name="age", label="Age", input_type="number", required=True)
    flow = Flow(version="7.3", screens=[
        Screen(id="START", title="Start", terminal=True, children=[
            age,
            If(age.number > 17, then=[TextBody(text=text("Welcome, ", age, "!"))]),
            Footer(label="Done", on_click_action=Complete({"age": age})),
        ]),
    ])
    client.update_flow_json(flow_id, flow)
"""

from typing import TYPE_CHECKING, Final

from .._lazy import lazy_names

if TYPE_CHECKING:
    from ._actions import Complete, DataExchange, Navigate, OpenUrl, UpdateData
    from ._answers import answers
    from ._base import Component, Data, Item, Raw, own_value
    from ._components import (
        CalendarPicker,
        CarouselImage,
        CheckboxGroup,
        Chip,
        ChipsSelector,
        DatePicker,
        DocumentPicker,
        Dropdown,
        EmbeddedLink,
        Footer,
        Form,
        If,
        Image,
        ImageCarousel,
        NavigationContent,
        NavigationEnd,
        NavigationItem,
        NavigationList,
        NavigationStart,
        OptIn,
        Option,
        PhotoPicker,
        RadioButtonsGroup,
        RichText,
        Switch,
        TextArea,
        TextBody,
        TextCaption,
        TextHeading,
        TextInput,
        TextSubheading,
    )
    from ._errors import FlowBuildError
    from ._expressions import Expr, text
    from ._flow import Flow, Screen
    from ._python import to_python
    from ._read import from_json

_MODULES: Final = {
    "._actions": ("Complete", "DataExchange", "Navigate", "OpenUrl", "UpdateData"),
    "._answers": ("answers",),
    "._base": ("Component", "Data", "Item", "Raw", "own_value"),
    "._components": (
        "CalendarPicker",
        "CarouselImage",
        "CheckboxGroup",
        "Chip",
        "ChipsSelector",
        "DatePicker",
        "DocumentPicker",
        "Dropdown",
        "EmbeddedLink",
        "Footer",
        "Form",
        "If",
        "Image",
        "ImageCarousel",
        "NavigationContent",
        "NavigationEnd",
        "NavigationItem",
        "NavigationList",
        "NavigationStart",
        "OptIn",
        "Option",
        "PhotoPicker",
        "RadioButtonsGroup",
        "RichText",
        "Switch",
        "TextArea",
        "TextBody",
        "TextCaption",
        "TextHeading",
        "TextInput",
        "TextSubheading",
    ),
    "._errors": ("FlowBuildError",),
    "._expressions": ("Expr", "text"),
    "._flow": ("Flow", "Screen"),
    "._python": ("to_python",),
    "._read": ("from_json",),
}

__all__ = [
    "CalendarPicker",
    "CarouselImage",
    "CheckboxGroup",
    "Chip",
    "ChipsSelector",
    "Complete",
    "Component",
    "Data",
    "DataExchange",
    "DatePicker",
    "DocumentPicker",
    "Dropdown",
    "EmbeddedLink",
    "Expr",
    "Flow",
    "FlowBuildError",
    "Footer",
    "Form",
    "If",
    "Image",
    "ImageCarousel",
    "Item",
    "Navigate",
    "NavigationContent",
    "NavigationEnd",
    "NavigationItem",
    "NavigationList",
    "NavigationStart",
    "OpenUrl",
    "OptIn",
    "Option",
    "PhotoPicker",
    "RadioButtonsGroup",
    "Raw",
    "RichText",
    "Screen",
    "Switch",
    "TextArea",
    "TextBody",
    "TextCaption",
    "TextHeading",
    "TextInput",
    "TextSubheading",
    "UpdateData",
    "answers",
    "from_json",
    "own_value",
    "text",
    "to_python",
]

if not TYPE_CHECKING:
    __getattr__ = lazy_names(__name__, _MODULES)
