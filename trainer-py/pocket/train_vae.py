"""Train the pocket autoencoder: python -m pocket.train_vae --out DIR (resumes from DIR/vae-state.pt)."""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from pocket.creature import MOSSLING
from pocket.draw import draw_picture, paint
from pocket.muon import Muon
from pocket.scene import Scene, place, random_background, random_scene
from pocket.vae import decode, encode_mean, fold_latent_scale, new_vae, psnr, trained_parameters

SEED = 1234


def main() -> None:
    """Draw the pictures, train, fold the latent scale, write DIR/vae.pt and append to DIR/log.jsonl."""
    parser = argparse.ArgumentParser(description="Train the pocket autoencoder on drawn pictures.")
    parser.add_argument("--out", type=Path, required=True, help="folder of state, log and result")
    parser.add_argument("--pictures", type=int, default=6000)
    parser.add_argument("--crop-steps", type=int, default=2200, help="steps on 64 px crops, batch 16")
    parser.add_argument("--full-steps", type=int, default=1700, help="steps on whole 128 px pictures, batch 4")
    parser.add_argument("--refine-steps", type=int, default=1750, help="then steps on true colours, mostly creatures")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    stack = draw_stack(SEED, options.pictures)
    train(options.out, stack, options.crop_steps, options.full_steps)
    refine(options.out, torch.cat([draw_creatures(SEED, 2400), stack[:1600]]), options.refine_steps)


def draw_stack(seed: int, count: int, size: int = 128) -> torch.Tensor:
    """uint8 (count, 3, size, size) base pictures of that seed."""
    rng = np.random.default_rng(seed)
    stack = np.stack([np.asarray(draw_picture(rng, size)[0]) for _ in range(count)])
    return torch.from_numpy(stack).permute(0, 3, 1, 2).contiguous()


def draw_creatures(seed: int, count: int, size: int = 128) -> torch.Tensor:
    """uint8 (count, 3, size, size) base pictures of that seed that show creatures: they hold the finest parts."""
    rng = np.random.default_rng([seed, 1])
    pictures: list[np.ndarray] = []
    while len(pictures) < count:
        scene = random_scene(rng)
        if any(figure.creature for figure in scene.figures):
            pictures.append(np.asarray(paint(scene, size, size)))
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


def draw_mosslings(seed: int, count: int, size: int = 128) -> torch.Tensor:
    """uint8 (count, 3, size, size) pictures of the demo creature, which no base picture shows."""
    rng = np.random.default_rng(seed)
    scenes = []
    for index in range(count):
        figures = place(rng, [("creature", "teal", MOSSLING)], ("big", None)[index % 2])
        scenes.append(Scene(random_background(rng, {"teal"}), figures, None))
    stack = np.stack([np.asarray(paint(scene, size, size)) for scene in scenes])
    return torch.from_numpy(stack).permute(0, 3, 1, 2).contiguous()


def to_signed(stack: torch.Tensor) -> torch.Tensor:
    """uint8 pictures as floats in -1..1, channels last."""
    return stack.float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)


def train(out: Path, stack: torch.Tensor, crop_steps: int, full_steps: int) -> AutoencoderKL:
    """Train for crop_steps + full_steps from DIR/vae-state.pt where it exists; returns the folded autoencoder."""
    torch.manual_seed(SEED)
    vae = new_vae().to(memory_format=torch.channels_last)
    optimisers = _optimisers(vae)
    total, start, began = crop_steps + full_steps, 0, time.monotonic()
    state_file = out / "vae-state.pt"
    if state_file.exists():
        start = _load_state(state_file, vae, optimisers)
    rng = np.random.default_rng([SEED, start])
    for step in range(start, total):
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * _schedule(step, total)
        batch = _batch(rng, stack, 16, 64) if step < crop_steps else _batch(rng, stack, 4, 128)
        loss, error = _losses(vae, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained_parameters(vae).values(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        if (step + 1) % 250 == 0 or step + 1 == total:
            _report(out, vae, step + 1, float(error), time.monotonic() - began)
            _save_state(state_file, vae, optimisers, step + 1)
    with torch.no_grad():
        fold_latent_scale(vae, torch.cat([encode_mean(vae, to_signed(part)) for part in stack[:512].split(64)]))
    torch.save(vae.state_dict(), out / "vae.pt")
    return vae


def refine(out: Path, stack: torch.Tensor, steps: int) -> AutoencoderKL:
    """Go on from DIR/vae-state.pt on whole pictures in their true colours at a third of the rate; writes DIR/vae.pt."""
    torch.manual_seed(SEED + 1)
    vae = new_vae().to(memory_format=torch.channels_last)
    optimisers = _optimisers(vae)
    first = _load_state(out / "vae-state.pt", vae, optimisers)
    rng, began = np.random.default_rng([SEED, first, 1]), time.monotonic()
    for step in range(steps):
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * 0.35 * _schedule(step, steps)
        picks = torch.from_numpy(rng.integers(len(stack), size=4))
        batch = stack[picks].flip(-1) if rng.random() < 0.5 else stack[picks]
        loss, error = _losses(vae, to_signed(batch))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained_parameters(vae).values(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        if (step + 1) % 250 == 0:
            _report(out, vae, first + step + 1, float(error), time.monotonic() - began)
    with torch.no_grad():
        fold_latent_scale(vae, torch.cat([encode_mean(vae, to_signed(part)) for part in stack[-512:].split(64)]))
    torch.save(vae.state_dict(), out / "vae.pt")
    return vae


def _losses(vae: AutoencoderKL, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    latents = encode_mean(vae, batch)
    error = (decode(vae, latents + 0.2 * torch.randn_like(latents)) - batch).square().mean()
    tails = (latents.abs() - 3.5 * latents.detach().std()).relu().square().mean()
    return error + 3e-4 * latents.square().mean() + 3e-3 * tails, error.detach()


def _batch(rng: np.random.Generator, stack: torch.Tensor, count: int, crop: int) -> torch.Tensor:
    size = stack.shape[-1]
    parts = []
    for index in rng.integers(len(stack), size=count):
        top, left = (int(part) for part in rng.integers(0, size - crop + 1, size=2))
        part = stack[index, rng.permutation(3), top : top + crop, left : left + crop]
        part = part.flip(-1) if rng.random() < 0.5 else part
        part = part.flip(-2) if rng.random() < 0.5 else part
        parts.append(part.mT if rng.random() < 0.5 else part)
    return to_signed(torch.stack(parts))


def _schedule(step: int, total: int) -> float:
    return min(1.0, (step + 1) / 50) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / total)))


def _optimisers(vae: AutoencoderKL) -> list[torch.optim.Optimizer]:
    parameters = list(trained_parameters(vae).values())
    matrices = [p for p in parameters if p.ndim == 4 and min(p.shape[0], p.shape[1]) >= 64]
    others = [p for p in parameters if not any(p is matrix for matrix in matrices)]
    optimisers = [Muon(matrices, lr=0.015), torch.optim.AdamW(others, lr=2e-3, betas=(0.9, 0.99), weight_decay=0.0)]
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return optimisers


@torch.no_grad()
def _report(out: Path, vae: AutoencoderKL, step: int, error: float, seconds: float) -> None:
    base, demo = to_signed(draw_stack(SEED + 1, 64)), to_signed(draw_mosslings(SEED + 2, 48))
    latents = encode_mean(vae, base)
    row = {
        "part": "vae",
        "step": step,
        "seconds": round(seconds, 1),
        "mse": round(error, 5),
        "heldOutPsnr": round(psnr(decode(vae, latents), base), 2),
        "demoPsnr": round(psnr(decode(vae, encode_mean(vae, demo)), demo), 2),
        "latentStd": round(float(latents.std()), 3),
        "latentMax": round(float(latents.abs().max() / latents.std()), 1),
    }
    with (out / "log.jsonl").open("a") as log:
        log.write(json.dumps(row) + "\n")


def _save_state(path: Path, vae: AutoencoderKL, optimisers: list[torch.optim.Optimizer], step: int) -> None:
    state = {"vae": vae.state_dict(), "optimisers": [o.state_dict() for o in optimisers], "step": step}
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)


def _load_state(path: Path, vae: AutoencoderKL, optimisers: list[torch.optim.Optimizer]) -> int:
    state = torch.load(path, weights_only=True)
    vae.load_state_dict(state["vae"])
    for optimiser, saved in zip(optimisers, state["optimisers"], strict=True):
        optimiser.load_state_dict(saved)
    return int(state["step"])


if __name__ == "__main__":
    main()
