"""Text from elsewhere, made harmless for a terminal: see `whatsapp_flows._inert`."""

from .._inert import inert

__all__ = ["inert"]
