"""What a checkpoint's tensors do not tell about it, from the files beside them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from trainer.failure import Failure


@dataclass(frozen=True)
class ModelHints:
    """None wherever nothing was said.

    heads, head_width: of the UNet's attention, one of the two; text_heads: of each text encoder.
    """

    heads: int | None = None
    head_width: int | None = None
    text_heads: tuple[int, ...] = ()
    resolution: int | None = None
    scale_factor: float | None = None
    prediction: str | None = None
    zero_terminal_snr: bool | None = None


def sidecar_hints(checkpoint: Path) -> ModelHints:
    """Hints of the `.yaml` beside a checkpoint, if there is one.

    Raises Failure `base_model_corrupt` for one that can't be used.
    """
    sidecar = checkpoint.with_suffix(".yaml")
    if not sidecar.is_file():
        return ModelHints()
    try:
        params = yaml.safe_load(sidecar.read_text(encoding="utf-8"))["model"]["params"]
        unet, vae = params["unet_config"]["params"], params["first_stage_config"]["params"]["ddconfig"]
        text = params.get("cond_stage_config") or {}
        size = params.get("image_size") or unet["image_size"]
        heads, head_width = unet.get("num_heads"), unet.get("num_head_channels")
        spoken = params.get("parameterization")
        return ModelHints(
            heads=None if heads in (None, -1) else int(heads),
            head_width=None if head_width in (None, -1) else int(head_width),
            text_heads=_text_heads(sidecar, text.get("params") or {}),
            resolution=int(size) * 2 ** (len(vae["ch_mult"]) - 1),
            scale_factor=float(params["scale_factor"]) if "scale_factor" in params else None,
            prediction=None if spoken is None else ("v" if spoken == "v" else "epsilon"),
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _bad_yaml(
            sidecar, f"the configuration of a Stable Diffusion model, found something else ({type(error).__name__})"
        ) from error


def folder_hints(folder: Path, text_encoders: tuple[str, ...]) -> ModelHints:
    """Hints of the JSON files of a model in diffusers' folder layout. Raises Failure `base_model_corrupt`."""
    unet = _json(folder / "unet" / "config.json")
    vae, schedule = _json(folder / "vae" / "config.json"), _json(folder / "scheduler" / "scheduler_config.json")
    spoken = schedule.get("prediction_type")
    # diffusers calls the number of heads by the name of their width; lists have one entry a level.
    heads = unet.get("num_attention_heads") or unet.get("attention_head_dim", 8)
    width = (unet.get("block_out_channels") or [320])[0]
    return ModelHints(
        heads=heads if isinstance(heads, int) else None,
        head_width=width // heads[0] if isinstance(heads, list) and heads else None,
        text_heads=tuple(
            int(_json(folder / name / "config.json").get("num_attention_heads", 12)) for name in text_encoders
        ),
        resolution=int(unet["sample_size"]) * 8 if "sample_size" in unet else None,
        scale_factor=float(vae["scaling_factor"]) if "scaling_factor" in vae else None,
        prediction=None if spoken is None else ("v" if str(spoken).startswith("v") else "epsilon"),
        zero_terminal_snr=schedule.get("rescale_betas_zero_snr"),
    )


def _text_heads(sidecar: Path, params: dict[str, Any]) -> tuple[int, ...]:
    version = params.get("version")
    if version is None:
        return ()
    # The first place is the one beside the yaml; the others are how WebUIs resolve it from their own root.
    for base in (sidecar.parent, *sidecar.parent.parents):
        if (base / str(version) / "config.json").is_file():
            config = _json(base / str(version) / "config.json")
            return (int(config.get("text_config", config)["num_attention_heads"]),)
    if version == "openai/clip-vit-large-patch14":
        return ()
    raise _bad_yaml(sidecar, f"a folder {version} with a CLIP config.json, found none")


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(value, dict):
            raise ValueError("it is no object")
        return value
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Failure(
            "base_model_corrupt",
            f"Expected JSON in {path}, but it can't be read; copy or download that file of the model again.",
            str(error),
        ) from error


def _bad_yaml(sidecar: Path, expected: str) -> Failure:
    return Failure(
        "base_model_corrupt",
        f"Expected {sidecar.name} to hold {expected}; restore that file, or remove it for a model of an ordinary size.",
    )
