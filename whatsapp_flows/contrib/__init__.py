"""Bridges to frameworks. Each module imports its framework and needs the extra of its name; nothing imports these."""
