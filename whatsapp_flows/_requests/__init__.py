"""The transport on requests; the only importer of requests and, for its connections, of urllib3."""

from ._transport import RequestsTransport, Session

__all__ = ["RequestsTransport", "Session"]
