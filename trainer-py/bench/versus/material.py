"""What both programs train on: a base model, pictures with captions, a LoRA to start from, CLIP's vocabulary."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from bench.random_lora import random_lora
from pocket.draw import draw_picture
from trainer.model.base_model import load_base_model
from trainer.model.clip_tokenizer import VOCABULARY
from trainer.network.lora_file import lora_tensors
from trainer.network.targets import lora_targets

ROOT = Path(__file__).resolve().parents[3]
BUCKETS = ((192, 320), (256, 256), (320, 192))
DIM, ALPHA = 16, 1.0


@dataclass(frozen=True)
class SdScripts:
    """A checkout of sd-scripts and the Python that has what it needs."""

    folder: Path
    python: Path


@dataclass(frozen=True)
class Material:
    """Paths; pictures: (file name without its end, its size, its caption)."""

    base: Path
    lora: Path
    tokenizers: Path
    folder: Path
    pictures: tuple[tuple[str, tuple[int, int], str], ...]


def make_material(folder: Path, sd_scripts: SdScripts) -> Material:
    """Pictures and the LoRA in `folder`; the base model is made once and kept in the user's cache folder."""
    base = _base_file(sd_scripts)
    return Material(
        base=base,
        lora=_start_lora(base, folder / "start.safetensors"),
        tokenizers=_tokenizers(folder / "tokenizers"),
        folder=folder / "pictures",
        pictures=_draw(folder / "pictures"),
    )


def _base_file(sd_scripts: SdScripts) -> Path:
    named = os.environ.get("SD_SCRIPTS_BASE")
    if named:
        return Path(named)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "train-lora" / "bench"
    file = cache / "sd15-random.safetensors"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial.safetensors")
        script = ROOT / "test" / "fixtures" / "trainers" / "make_sd15.py"
        command = [str(sd_scripts.python), str(script), str(sd_scripts.folder), str(partial)]
        subprocess.run(command, check=True, cwd=sd_scripts.folder, stdout=subprocess.DEVNULL)
        partial.replace(file)
    return file


def _start_lora(base: Path, file: Path) -> Path:
    # Both begin with the same numbers: random down halves, up halves of zeros.
    model = load_base_model(base, device=torch.device("cpu"), dtype=torch.float32, parts=frozenset())
    targets = lora_targets(model.unet, model.text_encoders)
    weights = random_lora(targets, rank=DIM, alpha=ALPHA, seed=0, size=0.0)
    save_file(lora_tensors(weights, "float"), file)
    return file


def _tokenizers(folder: Path) -> Path:
    target = folder / "openai_clip-vit-large-patch14"
    target.mkdir(parents=True)
    for name in ("vocab.json", "merges.txt"):
        shutil.copyfile(VOCABULARY / name, target / name)
    end = "<|endoftext|>"
    config = {
        "tokenizer_class": "CLIPTokenizer",
        "do_lower_case": True,
        "model_max_length": 77,
        "bos_token": "<|startoftext|>",
        "eos_token": end,
        "unk_token": end,
        "pad_token": end,
    }
    (target / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def _draw(folder: Path) -> tuple[tuple[str, tuple[int, int], str], ...]:
    folder.mkdir()
    rng = np.random.default_rng(0)
    found = []
    for index in range(2 * len(BUCKETS)):
        width, height = size = BUCKETS[index % len(BUCKETS)]
        picture, words = draw_picture(rng, max(BUCKETS[0]))
        name = f"pic{index}"
        caption = f"bench, {name}, {words}, soft light, plain background"
        picture.crop((0, 0, width, height)).save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(caption, encoding="utf-8")
        found.append((name, size, caption))
    return tuple(found)
