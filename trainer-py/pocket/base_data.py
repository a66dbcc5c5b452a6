"""The base pictures as latents beside their scenes, so that each step can word its captions afresh."""

from pathlib import Path

import numpy as np
import torch
from transformers import CLIPTokenizer

from pocket.caption import random_caption
from pocket.draw import paint
from pocket.scene import Scene, random_scene
from pocket.train_vae import to_signed
from pocket.vae import LATENT_SCALE, encode_mean, new_vae
from pocket.words import CONTEXT, END, token_ids

EMPTY_SHARE = 0.1
STRANGER_SHARE = 0.15


def base_scenes(seed: int, count: int) -> list[Scene]:
    """The first `count` scenes of that seed."""
    rng = np.random.default_rng(seed)
    return [random_scene(rng) for _ in range(count)]


def base_latents(scenes: list[Scene], size: int, vae_file: Path, cache: Path) -> torch.Tensor:
    """Unit-scale latents (n, 4, size/8, size/8) of the scenes painted at `size` pixels, kept in `cache`."""
    if cache.exists():
        return torch.load(cache, weights_only=True)
    vae = new_vae()
    vae.load_state_dict(torch.load(vae_file, weights_only=True))
    vae = vae.to(memory_format=torch.channels_last)
    parts = []
    for start in range(0, len(scenes), 64):
        pictures = np.stack([np.asarray(paint(scene, size, size)) for scene in scenes[start : start + 64]])
        with torch.no_grad():
            signed = to_signed(torch.from_numpy(pictures).permute(0, 3, 1, 2))
            parts.append(encode_mean(vae, signed).contiguous() * LATENT_SCALE)
    latents = torch.cat(parts)
    torch.save(latents, cache)
    return latents


def step_captions(rng: np.random.Generator, scenes: list[Scene]) -> list[str]:
    """A fresh caption for each scene, one in ten empty."""
    return ["" if rng.random() < EMPTY_SHARE else random_caption(rng, scene) for scene in scenes]


def step_ids(rng: np.random.Generator, tokenizer: CLIPTokenizer, captions: list[str]) -> torch.Tensor:
    """Token ids of the captions; a third of the steps at all 77 places, some captions with unknown words put in.

    The unknown words teach the model that words it never learnt, such as a trigger tag, mean nothing yet.
    """
    ids = token_ids(tokenizer, captions, CONTEXT if rng.random() < 0.35 else None)
    comma = int(tokenizer.convert_tokens_to_ids(",</w>"))
    return torch.stack([_with_strangers(rng, row, comma) if rng.random() < STRANGER_SHARE else row for row in ids])


def used_ids(tokenizer: CLIPTokenizer, scenes: list[Scene], seed: int) -> set[int]:
    """Every token id that captions of the scenes use, wordings drawn several times."""
    rng = np.random.default_rng(seed)
    captions = [random_caption(rng, scene) for scene in scenes for _ in range(3)]
    return set(token_ids(tokenizer, captions).unique().tolist())


def _with_strangers(rng: np.random.Generator, row: torch.Tensor, comma: int) -> torch.Tensor:
    end = int((row == END).int().argmax())
    count = min(int(rng.integers(1, 4)), len(row) - end - 2)
    if end <= 3 or count < 1:
        return row
    strangers = torch.from_numpy(rng.integers(320, END - 1, size=count))
    separator = torch.tensor([comma])
    if rng.random() < 0.5:
        parts = [row[:1], strangers, separator, row[1:]]
    else:
        parts = [row[:end], separator, strangers, row[end:]]
    return torch.cat(parts)[: len(row)]
