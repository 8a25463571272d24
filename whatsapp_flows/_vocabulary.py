"""
The values that Meta documents for the parameters of its Flows API: one list each, for type checkers and at run time.

The types stay open (`| str`): Meta may add a value, and an unknown one is sent and read as it is. Closed are those on
which rules of this library depend.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

_FlowCategory = Literal[
    "SIGN_UP",
    "SIGN_IN",
    "APPOINTMENT_BOOKING",
    "LEAD_GENERATION",
    "CONTACT_US",
    "CUSTOMER_SUPPORT",
    "SURVEY",
    "SHOPPING",
    "OTHER",
]
_MetricName = Literal[
    "ENDPOINT_REQUEST_COUNT",
    "ENDPOINT_REQUEST_ERROR",
    "ENDPOINT_REQUEST_ERROR_RATE",
    "ENDPOINT_REQUEST_LATENCY_SECONDS_CEIL",
    "ENDPOINT_AVAILABILITY",
]
_Granularity = Literal["DAY", "HOUR", "LIFETIME"]
_TemplateCategory = Literal["AUTHENTICATION", "MARKETING", "UTILITY"]
_ButtonIcon = Literal["DOCUMENT", "PROMOTION", "REVIEW"]

FlowCategory = _FlowCategory | str
"""
What a flow is for. Source: Meta, "Flows API", parameter `categories`; `SHOPPING` is missing from that page, but Meta's
own facebook-business package and two vendors' APIs have it.
"""

MetricName = _MetricName | str
"""A metric of a flow's endpoint. Source: Meta, "Metrics API"."""

Granularity = _Granularity | str
"""The period that one point of a metric covers. Source: Meta, "Metrics API"."""

FlowAction = Literal["navigate", "data_exchange"]
"""
How a Flow opens: `navigate` to a screen that the message names, or ask the endpoint (`data_exchange`, its `INIT`).
Source: Meta, "Sending a Flow", parameter `flow_action`.
"""

FlowMode = Literal["published", "draft"]
"""Which state of a Flow a message opens. Source: Meta, "Sending a Flow", parameter `mode`."""

TemplateCategory = _TemplateCategory | str
"""The category of a message template, which Meta may change. Source: Meta, "Template categories"."""

ButtonIcon = _ButtonIcon | str
"""The icon of a FLOW button. Source: the pywa library; Meta's pages show no list."""

FLOW_CATEGORIES: Final[tuple[str, ...]] = get_args(_FlowCategory)
METRIC_NAMES: Final[tuple[str, ...]] = get_args(_MetricName)
GRANULARITIES: Final[tuple[str, ...]] = get_args(_Granularity)
FLOW_ACTIONS: Final[tuple[str, ...]] = get_args(FlowAction)
FLOW_MODES: Final[tuple[str, ...]] = get_args(FlowMode)
TEMPLATE_CATEGORIES: Final[tuple[str, ...]] = get_args(_TemplateCategory)
BUTTON_ICONS: Final[tuple[str, ...]] = get_args(_ButtonIcon)
