"""The command-line options of Train LoRA, and what the WebUI's own options mean for it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .access import LOOPBACK_NAMES, Policy

_LOOPBACK = LOOPBACK_NAMES | {"::1"}


@dataclass(frozen=True)
class Flags:
    """Our options. `port` 0 is a free one; `node` is None where the user left the choice to us."""

    home: Path
    lora_dir: Path
    port: int
    node: str | None
    autostart: bool


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Called while the WebUI reads its command line. Each name has our prefix: one clash would lose all that follow."""
    group = parser.add_argument_group("Train LoRA")
    group.add_argument(
        "--train-lora-port", type=int, default=0, help="port of Train LoRA's own server (default: a free one)"
    )
    group.add_argument(
        "--train-lora-node", type=str, default=None, help="the Node program for Train LoRA, 20.19 or newer"
    )
    group.add_argument("--train-lora-home", type=str, default=None, help="folder for Train LoRA's data sets and runs")
    group.add_argument(
        "--train-lora-no-autostart", action="store_true", help="start Train LoRA's server with its tab only"
    )
    group.add_argument(
        "--train-lora-allow-remote",
        action="store_true",
        help="let everybody who reaches this WebUI train and delete with Train LoRA, although it has no login",
    )


def read_flags() -> Flags:
    """The options as the running WebUI has them, with absolute paths."""
    options = webui_options()
    return Flags(
        home=_home(options),
        lora_dir=_lora_dir(options),
        port=int(getattr(options, "train_lora_port", 0) or 0),
        node=getattr(options, "train_lora_node", None) or None,
        autostart=not getattr(options, "train_lora_no_autostart", False),
    )


def webui_options() -> Any:
    from modules import shared

    return shared.cmd_opts


def read_policy(app: Any, demo: Any, other_hosts: tuple[str, ...]) -> Policy:
    """How this WebUI was started. `app` tells whether a login is on; `demo` (None without a page) where it listens."""
    listens = is_reachable(webui_options(), demo, os.environ)
    return make_policy(webui_options(), getattr(app, "auth", None) is not None, listens, other_hosts)


def make_policy(options: Any, login: bool, reachable: bool, other_hosts: tuple[str, ...] = ()) -> Policy:
    """The same as a pure function of the command line."""
    return Policy(
        login=login,
        reachable=reachable,
        allow_remote=bool(getattr(options, "train_lora_allow_remote", False)),
        hide_folders=bool(getattr(options, "hide_ui_dir_config", False)),
        api_auth=_pairs(getattr(options, "api_auth", None)),
        cors_origins=_list(getattr(options, "cors_allow_origins", None)),
        cors_origin_regex=getattr(options, "cors_allow_origins_regex", None),
        other_hosts=other_hosts,
    )


def is_reachable(options: Any, demo: Any, environment: Mapping[str, str]) -> bool:
    """Whether other machines may reach this WebUI. One that listens to itself alone is not."""
    if any(getattr(options, name, None) for name in ("share", "listen", "ngrok")) or getattr(demo, "share", False):
        return True
    # gradio listens where this variable says when the WebUI leaves the choice to it, as container images do.
    names = (
        getattr(options, "server_name", None),
        getattr(demo, "server_name", None),
        environment.get("GRADIO_SERVER_NAME"),
    )
    return any(name and name not in _LOOPBACK for name in names)


def _home(options: Any) -> Path:
    asked = getattr(options, "train_lora_home", None) or os.environ.get("TRAIN_LORA_HOME")
    return Path(asked).absolute() if asked else webui_data_path() / "train-lora"


def webui_data_path() -> Path:
    from modules import paths_internal

    return Path(paths_internal.data_path).absolute()


def _lora_dir(options: Any) -> Path:
    asked = getattr(options, "lora_dir", None)
    if asked:
        return Path(asked).absolute()
    from modules import paths_internal

    return Path(paths_internal.models_path).absolute() / "Lora"


def _pairs(text: str | None) -> tuple[tuple[str, str], ...]:
    pairs = (part.strip().split(":", 1) for part in (text or "").split(",") if ":" in part)
    return tuple((name, password) for name, password in pairs)


def _list(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())
