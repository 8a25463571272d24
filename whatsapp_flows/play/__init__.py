"""
Playing a Flow: what its user sees and does, without a phone, a network or an extra.

    step = start("booking.json")                       # Step(session, effects)
    step = advance(step.session, Fill("/screens/0/layout/children/1", "Ada"))
    view(step.session).nodes
"""

from typing import TYPE_CHECKING, Final

from .._lazy import lazy_names

if TYPE_CHECKING:
    from ._advance import advance
    from ._as_test import as_test
    from ._asking import Asker, asker_for
    from ._async_player import AsyncFlowPlayer
    from ._autoplay import autoplay
    from ._behaviour import BEHAVIOUR, Behaviour, Evidence
    from ._branch_values import Scalar as Scalar
    from ._branch_values import Source as Source
    from ._branch_values import deciding_values as deciding_values
    from ._branch_values import entered as entered
    from ._errors import (
        DataModelMismatch,
        EndpointFault,
        NoSuchField,
        NotOffered,
        NotTappable,
        PlayError,
        WrongTransition,
    )
    from ._events import (
        Answer,
        AskEndpoint,
        Back,
        Blur,
        Broken,
        Complete,
        Effect,
        Event,
        Failure,
        Fill,
        OpenUrl,
        Refused,
        Select,
        Snackbar,
        Tap,
        Upload,
        UploadedFile,
        UploadState,
    )
    from ._example_answers import example_answers
    from ._exchange import Call as Call
    from ._exchange import Line as Line
    from ._exchange import call_of as call_of
    from ._exchange import line_options as line_options
    from ._exchange import line_to as line_to
    from ._exchange import notice_of as notice_of
    from ._fitting_values import ways_to_fill
    from ._flow import PlayedFlow, read_flow
    from ._markdown import Block, Heading, ImageBlock, ListBlock, Paragraph, Span, Table
    from ._outcome import REASONS, Outcome, Reason, SeenScreen
    from ._player import FlowPlayer
    from ._playing import PlayedRequest
    from ._session import ScreenState, Session, Step
    from ._start import start
    from ._summary import SummaryRow, summary
    from ._uploads import Uploads as Uploads
    from ._values import Counter, Issue, Node, View
    from ._view import view
    from ._webhook_body import WebhookBody

__all__ = [
    "BEHAVIOUR",
    "REASONS",
    "Answer",
    "AskEndpoint",
    "Asker",
    "AsyncFlowPlayer",
    "Back",
    "Behaviour",
    "Block",
    "Blur",
    "Broken",
    "Complete",
    "Counter",
    "DataModelMismatch",
    "Effect",
    "EndpointFault",
    "Event",
    "Evidence",
    "Failure",
    "Fill",
    "FlowPlayer",
    "Heading",
    "ImageBlock",
    "Issue",
    "ListBlock",
    "NoSuchField",
    "Node",
    "NotOffered",
    "NotTappable",
    "OpenUrl",
    "Outcome",
    "Paragraph",
    "PlayError",
    "PlayedFlow",
    "PlayedRequest",
    "Reason",
    "Refused",
    "ScreenState",
    "SeenScreen",
    "Select",
    "Session",
    "Snackbar",
    "Span",
    "Step",
    "SummaryRow",
    "Table",
    "Tap",
    "Upload",
    "UploadState",
    "UploadedFile",
    "View",
    "WebhookBody",
    "WrongTransition",
    "advance",
    "as_test",
    "asker_for",
    "autoplay",
    "example_answers",
    "read_flow",
    "start",
    "summary",
    "view",
    "ways_to_fill",
]

_MODULES: Final = {
    "._advance": ("advance",),
    "._as_test": ("as_test",),
    "._async_player": ("AsyncFlowPlayer",),
    "._asking": ("Asker", "asker_for"),
    "._autoplay": ("autoplay",),
    "._behaviour": (
        "BEHAVIOUR",
        "Behaviour",
        "Evidence",
    ),
    "._errors": (
        "DataModelMismatch",
        "EndpointFault",
        "NoSuchField",
        "NotOffered",
        "NotTappable",
        "PlayError",
        "WrongTransition",
    ),
    "._events": (
        "Answer",
        "AskEndpoint",
        "Back",
        "Blur",
        "Broken",
        "Complete",
        "Effect",
        "Event",
        "Failure",
        "Fill",
        "OpenUrl",
        "Refused",
        "Select",
        "Snackbar",
        "Tap",
        "Upload",
        "UploadState",
        "UploadedFile",
    ),
    "._branch_values": ("Scalar", "Source", "deciding_values", "entered"),  # for the preview
    "._example_answers": ("example_answers",),
    "._exchange": ("Call", "Line", "call_of", "line_options", "line_to", "notice_of"),  # for the preview
    "._fitting_values": ("ways_to_fill",),
    "._flow": (
        "PlayedFlow",
        "read_flow",
    ),
    "._markdown": (
        "Block",
        "Heading",
        "ImageBlock",
        "ListBlock",
        "Paragraph",
        "Span",
        "Table",
    ),
    "._outcome": (
        "REASONS",
        "Outcome",
        "Reason",
        "SeenScreen",
    ),
    "._player": ("FlowPlayer",),
    "._playing": ("PlayedRequest",),
    "._session": (
        "ScreenState",
        "Session",
        "Step",
    ),
    "._start": ("start",),
    "._summary": (
        "SummaryRow",
        "summary",
    ),
    "._uploads": ("Uploads",),  # for the preview
    "._values": (
        "Counter",
        "Issue",
        "Node",
        "View",
    ),
    "._view": ("view",),
    "._webhook_body": ("WebhookBody",),
}

if not TYPE_CHECKING:
    __getattr__ = lazy_names(__name__, _MODULES)
