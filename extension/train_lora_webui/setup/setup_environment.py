"""The environment of the set-up's programs: the user's proxies and mirrors, nothing of the WebUI's own Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ..child_environment import child_environment
from .private_node import base_python, python_has_venv
from .webui_torch import webui_torch

#: A user's default of these would lead packages out of our venvs, or the build into its development mode.
_MISLEADING = frozenset(
    {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN", "PIP_CONSTRAINT"}
    | {"PIP_REQUIREMENT", "PIP_NO_DEPS", "PIP_NO_DEPENDENCIES", "UV_SYSTEM_PYTHON", "UV_CONSTRAINT"}
    | {"NODE_ENV", "NODE_PATH", "NPM_CONFIG_GLOBAL", "NPM_CONFIG_OMIT", "NPM_CONFIG_DRY_RUN"}
)
_QUIET = {
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "NO_COLOR": "1",
    "npm_config_update_notifier": "false",
}
#: npm's own waits are up to a minute each; without a network it should be said sooner.
_PATIENCE = {
    "npm_config_fetch_retries": "3",
    "npm_config_fetch_retry_mintimeout": "1000",
    "npm_config_fetch_retry_maxtimeout": "8000",
}


def setup_environment(parent: Mapping[str, str], node: Path | None = None) -> dict[str, str]:
    """A copy of `parent` for npm, pip and the build. `node`: its folder comes first on PATH; packages call `node`."""
    kept = {name: value for name, value in child_environment(parent).items() if name.upper() not in _MISLEADING}
    kept.update(_QUIET)
    for name, value in _PATIENCE.items():
        kept.setdefault(name, value)
    kept["PATH"] = _path(parent, node)
    mirror = parent.get("INDEX_URL")
    if mirror:
        # The WebUI's own name for a mirror of pip's index.
        for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"):
            kept.setdefault(name, mirror)
    kept.update(webui_torch())
    if (3, 10) <= sys.version_info[:2] < (3, 14) and python_has_venv():
        kept.setdefault("TRAIN_LORA_PYTHON", base_python())
    return kept


def _path(parent: Mapping[str, str], node: Path | None) -> str:
    foreign = {_real(folder) for folder in _webui_venv_folders(parent)}
    kept = [part for part in parent.get("PATH", "").split(os.pathsep) if part and _real(part) not in foreign]
    return os.pathsep.join(kept if node is None else [str(node.parent), *kept])


def _webui_venv_folders(parent: Mapping[str, str]) -> list[str]:
    venvs = [parent["VIRTUAL_ENV"]] if parent.get("VIRTUAL_ENV") else []
    if sys.prefix != sys.base_prefix:
        venvs.append(sys.prefix)
    return [str(Path(venv) / name) for venv in venvs for name in ("bin", "Scripts")]


def _real(folder: str) -> str:
    return os.path.normcase(os.path.realpath(folder))
