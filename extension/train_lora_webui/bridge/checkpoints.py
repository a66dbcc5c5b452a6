"""The WebUI's checkpoints and VAEs (HostCheckpoints of the protocol)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .failure import Failure


def list_checkpoints() -> dict[str, Any]:
    """HostCheckpoints, as the WebUI knows them now; computes no hash and loads no model."""
    from modules import sd_models

    infos = list({id(info): info for info in sd_models.checkpoints_list.values()}.values())
    return {"checkpoints": [_checkpoint(info) for info in infos], "loaded": loaded_title(), "vaes": _vaes()}


def loaded_title() -> str | None:
    """Title of the checkpoint that the next picture is drawn with; None while there is none."""
    info = _in_use()
    return None if info is None else _title(info)


def is_in_use(title: str) -> bool:
    """
    True when the next picture is drawn with that checkpoint, by whichever name the settings call it. Raises Failure as
    find_checkpoint.
    """
    present = _in_use()
    return present is not None and present.filename == find_checkpoint(title).filename


def holds_model() -> bool:
    """False while no model is in memory, as after a checkpoint that this WebUI does not know. Loads none."""
    from modules import sd_models

    return getattr(sd_models.model_data.sd_model, "sd_checkpoint_info", None) is not None


def checkpoint_titles() -> tuple[str, ...]:
    """Cheap to compare, to see that the list has changed."""
    from modules import sd_models

    return (*sorted(sd_models.checkpoints_list), f"loaded {loaded_title()}")


def find_checkpoint(title: str) -> Any:
    """The WebUI's CheckpointInfo for a title, a name or a hash. Raises Failure `bad_request` when it knows none."""
    from modules import sd_models

    aliases = getattr(sd_models, "checkpoint_aliases", None) or getattr(sd_models, "checkpoint_alisases", {})
    info = sd_models.checkpoints_list.get(title) or aliases.get(title)
    if info is None:
        raise Failure(
            "bad_request", f'The WebUI has no checkpoint "{title}". Refresh its list of checkpoints and choose again.'
        )
    return info


def _checkpoint(info: Any) -> dict[str, Any]:
    path = Path(os.path.abspath(str(info.filename)))
    return {
        "name": path.stem,
        "title": _title(info),
        "path": str(path),
        "shortHash": getattr(info, "shorthash", None) or None,
        "sha256": getattr(info, "sha256", None) or None,
    }


def _in_use() -> Any:
    """Forge loads at the picture only, so what is chosen there counts, and not what the last one has left in memory."""
    from modules import sd_models

    data = sd_models.model_data
    chosen = (getattr(data, "forge_loading_parameters", None) or {}).get("checkpoint_info")
    return chosen or getattr(data.sd_model, "sd_checkpoint_info", None)


def _title(info: Any) -> str:
    """
    What the WebUI calls it. Forge adds a short hash at the first picture; left out, because a checkpoint that is called
    something else would be another one to whoever has drawn with it.
    """
    from modules import sd_models

    return str(info.name if hasattr(sd_models.model_data, "forge_loading_parameters") else info.title)


def _vaes() -> list[dict[str, str]]:
    try:
        from modules import sd_vae

        return [{"name": str(name), "path": os.path.abspath(str(path))} for name, path in sd_vae.vae_dict.items()]
    except (ImportError, AttributeError):
        return []
