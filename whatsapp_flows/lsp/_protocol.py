"""
The protocol as pygls speaks it, and what it leaves to do: positions, the texts of documents, answers to wrong requests.

- Positions are in UTF-16 units, which every client has. pygls would agree to the first encoding that a client names.
- The texts are kept by `_documents.py`. pygls has lines end where Python's do, for example at U+2028 in a string.
- A request that cannot be read, or that comes before `initialize` or after `shutdown`, gets the error that the
  specification has for it. pygls would leave it without an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import JsonRPCRequestMessage, LanguageServerProtocol, lsp_method

# Methods that no client knows: a wrong request is handled as a request of one of these.
_UNREADABLE: Final = "whatsapp-flows/unreadable"
_EARLY: Final = "whatsapp-flows/early"
_LATE: Final = "whatsapp-flows/late"
_REFUSALS: Final[Mapping[str, tuple[type[JsonRpcException], str]]] = {
    _UNREADABLE: (JsonRpcInvalidParams, "the parameters of this request cannot be read."),
    _EARLY: (JsonRpcServerNotInitialized, "the first request must be initialize."),
    _LATE: (JsonRpcInvalidRequest, "after shutdown nothing but exit is expected."),
}


class FlowProtocol(LanguageServerProtocol):
    """See the module. `exit_code` is what the specification says of the end: 1 for `exit` without `shutdown`."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        self._begun = self._ended = False
        self.exit_code = 0
        super().__init__(*args, **settings)
        for method, (error, reason) in _REFUSALS.items():
            self.fm.feature(method)(_refusal(error, reason))

    # Without these of pygls, its workspace has no texts.
    lsp_text_document__did_open: Any = None
    lsp_text_document__did_change: Any = None
    lsp_text_document__did_close: Any = None

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message as a value; a request that cannot be read as one that is refused."""
        try:
            return super().structure_message(data)
        except JsonRpcException:
            if "id" in data and "method" in data:
                return _refused(data["id"], _UNREADABLE)
            raise

    def handle_message(self, message: Any) -> None:
        """Handle a message, unless it comes too early or too late."""
        expected = {types.EXIT} if self._ended else {types.EXIT, types.INITIALIZE}
        in_time = self._begun and not self._ended
        if in_time or getattr(message, "method", types.EXIT) in expected:
            super().handle_message(message)
        elif hasattr(message, "id"):
            super().handle_message(_refused(message.id, _LATE if self._ended else _EARLY))

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """Begin, with positions in UTF-16 units."""
        self._begun = True
        if params.capabilities.general is not None:
            params.capabilities.general.position_encodings = None
        return (yield from super().lsp_initialize(params))

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        """Refuse what follows."""
        self._ended = True
        yield from ()

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> Generator[Any, Any, None]:
        """End the process."""
        self.exit_code = 0 if self._ended else 1
        yield from super().lsp_exit(*args)


def _refused(number: Any, method: str) -> JsonRPCRequestMessage:
    return JsonRPCRequestMessage(id=number, method=method, jsonrpc=LanguageServerProtocol.VERSION, params=None)


def _refusal(error: type[JsonRpcException], reason: str) -> Callable[[None], None]:
    def refuse(params: None) -> None:
        raise error(reason)

    return refuse
