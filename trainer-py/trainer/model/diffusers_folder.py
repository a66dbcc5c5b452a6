"""A model in diffusers' folder layout, as a checkpoint in the original one."""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from trainer.failure import Failure
from trainer.model.checkpoint_file import Checkpoint, RenamedCheckpoint, open_checkpoint
from trainer.model.ldm_keys import unet_key, vae_key
from trainer.model.model_hints import ModelHints, folder_hints

Places = dict[str, tuple[Checkpoint, str]]

_STEMS = ("diffusion_pytorch_model", "model", "pytorch_model")
_INDEXES = (".safetensors.index.json", ".safetensors.index.fp16.json", ".bin.index.json")
_ENDINGS = (".safetensors", ".fp16.safetensors", ".bin", ".fp16.bin")


def open_folder(folder: Path) -> tuple[Checkpoint, ModelHints]:
    """The model below `folder` under the original layout's names, and what its JSON files say.

    Raises Failure `base_model_unsupported` for another kind of folder, or as `open_checkpoint` does.
    """
    if not (folder / "model_index.json").is_file():
        raise Failure(
            "base_model_unsupported",
            f"Expected a model in diffusers' layout in {folder}, but it holds no model_index.json; "
            "choose a folder that has one, or a single file.",
        )
    encoders = tuple(name for name in ("text_encoder", "text_encoder_2") if (folder / name).is_dir())
    places: Places = {}
    places.update(_unet(_part(folder / "unet")))
    places.update(rename_vae(_part(folder / "vae")))
    for index, name in enumerate(encoders):
        prefix = f"conditioner.embedders.{index}." if len(encoders) == 2 else "cond_stage_model."
        places.update(_renamed(_part(folder / name), partial("{}transformer.{}".format, prefix)))
    return RenamedCheckpoint(places, {}), folder_hints(folder, encoders)


def rename_vae(parts: list[Checkpoint]) -> Places:
    """An autoencoder in diffusers' names."""
    names = [key for part in parts for key in part.keys()]  # noqa: SIM118
    levels = _count(names, r"decoder\.up_blocks\.(\d+)\.")
    return _renamed(parts, lambda key: vae_key(key, levels=levels))


def _unet(parts: list[Checkpoint]) -> Places:
    names = [key for part in parts for key in part.keys()]  # noqa: SIM118
    layers = _count(names, r"down_blocks\.0\.resnets\.(\d+)\.")
    with_attention = (re.match(r"up_blocks\.(\d+)\.attentions\.", name) for name in names)
    levels = frozenset(int(found[1]) for found in with_attention if found)
    return _renamed(parts, lambda key: unet_key(key, layers=layers, attention_levels=levels))


def _renamed(parts: list[Checkpoint], rename: Callable[[str], str]) -> Places:
    places: Places = {}
    for part in parts:
        for key in part.keys():  # noqa: SIM118
            try:
                places[rename(key)] = (part, key)
            except KeyError:
                continue  # a tensor of no layer of ours; what is missing is said when it is looked for
    return places


def _part(folder: Path) -> list[Checkpoint]:
    return [open_checkpoint(file) for file in _files(folder)]


def _files(folder: Path) -> list[Path]:
    for index in _named(folder, _INDEXES):
        shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return [folder / Path(shard).name for shard in sorted(set(shards))]
    for file in _named(folder, _ENDINGS):
        return [file]
    raise Failure(
        "base_model_missing",
        f"Expected the weights of a model in {folder}, but there is neither a .safetensors nor a .bin file; "
        "copy or download the folder again.",
    )


def _named(folder: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    for ending in endings:
        for stem in _STEMS:
            if (folder / f"{stem}{ending}").is_file():
                yield folder / f"{stem}{ending}"


def _count(names: list[str], pattern: str) -> int:
    found = (re.match(pattern, name) for name in names)
    return max((int(match[1]) + 1 for match in found if match), default=0)
