"""The section "Train LoRA" of the WebUI's settings. Few: what belongs to a run is set in the run."""

from __future__ import annotations

import inspect
from typing import Any

SECTION = ("train_lora", "Train LoRA")


def add_settings() -> None:
    """Adds our options to the WebUI's. None of them can be changed through the WebUI's API, as one names a program."""
    from modules import shared

    for name, default, label, info in (
        (
            "train_lora_node",
            "",
            "Node program",
            "empty: the one that the set-up found; 20.19 or newer; restart to apply",
        ),
        (
            "train_lora_other_hosts",
            "",
            "Other names of this WebUI",
            "names under which a proxy in front shows it, with commas, such as sd.example.org",
        ),
    ):
        shared.opts.add_option(name, _option(default, label).info(info))


def node_setting() -> str | None:
    """The user's own Node; nothing where the WebUI has locked its extensions because others may reach it."""
    from modules import shared

    if getattr(shared.cmd_opts, "disable_extension_access", False):
        return None
    return str(getattr(shared.opts, "train_lora_node", "") or "").strip() or None


def other_hosts_setting() -> tuple[str, ...]:
    from modules import shared

    text = str(getattr(shared.opts, "train_lora_other_hosts", "") or "")
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def _option(default: Any, label: str) -> Any:
    from modules import shared

    known = inspect.signature(shared.OptionInfo.__init__).parameters
    # Both came with later versions of the WebUI.
    extra = {name: value for name, value in (("restrict_api", True), ("category_id", "training")) if name in known}
    return shared.OptionInfo(default, label, section=SECTION, **extra)
