"""The desired state: flows.toml, the Flow JSON files and their variables."""

from ._config import ENVIRONMENT_NAME, find_config, read_workspace
from ._config_file import PYPROJECT
from ._desired import DesiredFlow, Workspace
from ._hints import hint
from ._variables import escaped, fill, unfill

__all__ = [
    "ENVIRONMENT_NAME",
    "PYPROJECT",
    "DesiredFlow",
    "Workspace",
    "escaped",
    "fill",
    "find_config",
    "hint",
    "read_workspace",
    "unfill",
]
