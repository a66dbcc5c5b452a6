"""Train the pocket UNet and text encoder together on latents of drawn pictures.

python -m pocket.train_unet --out DIR --size 64 --until N, then --size 128 --until M --decay D; resumes from DIR.
"""

import argparse
import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from pocket.base_data import base_latents, base_scenes, step_captions, step_ids, used_ids
from pocket.muon import Muon
from pocket.nets import encode_text, new_text_encoder, new_unet, noise_schedule
from pocket.words import PartlyTrainedEmbedding, load_tokenizer
from trainer.side_by_side import lone_threads

SEED = 4321
CLIP_SKIP_SHARE = 0.15
MIN_SNR = 5.0


def main() -> None:
    """Train to step `--until` and write DIR/unet-state.pt every `--save-every` steps and at the end or when
    it is asked to stop (SIGTERM)."""
    parser = argparse.ArgumentParser(description="Train the pocket UNet and text encoder.")
    parser.add_argument("--out", type=Path, required=True, help="folder with vae.pt; of state, cache and log")
    parser.add_argument("--clip", type=Path, default=Path(__file__).parent / "model" / "clip")
    parser.add_argument("--size", type=int, default=128, help="side of the pictures in pixels")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--until", type=int, required=True, help="last step, counted from the first stage on")
    parser.add_argument("--decay", type=int, default=0, help="steps before the end over which the rate falls to 2 %%")
    parser.add_argument("--pictures", type=int, default=12000)
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train(options)


def train(options: argparse.Namespace) -> None:
    """The loop; see main for the options."""
    torch.manual_seed(SEED)
    tokenizer = load_tokenizer(options.clip)
    scenes = base_scenes(SEED, options.pictures)
    latents = base_latents(scenes, options.size, options.out / "vae.pt", options.out / f"latents-{options.size}.pt")
    unet, text = new_unet().to(memory_format=torch.channels_last), new_text_encoder()
    text.embeddings.token_embedding = PartlyTrainedEmbedding(
        text.embeddings.token_embedding, used_ids(tokenizer, scenes, SEED)
    )
    parameters = trained_parameters(unet, text)
    optimisers = _optimisers(parameters)
    averages = {name: p.detach().clone() for name, p in parameters.items()}
    state_file = options.out / "unet-state.pt"
    start = _load_state(state_file, parameters, averages, optimisers) if state_file.exists() else 0
    rng = np.random.default_rng([SEED, start])
    torch.manual_seed(SEED + start)
    began, shown = time.monotonic(), []
    stops: list[int] = []
    pool = lone_threads(options.threads, "part")
    signal.signal(signal.SIGTERM, lambda number, _: stops.append(number))
    for step in range(start, options.until):
        factor = _schedule(step, options.until, options.decay)
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * factor
        batch = _draw_batch(rng, tokenizer, scenes, latents, options.batch)
        error = _backward_side_by_side(pool, batch.split(options.threads), unet, text, parameters)
        torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        keep = min(0.998, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(averages.values()), [p.detach() for p in parameters.values()], 1 - keep)
        shown.append(error)
        if (step + 1) % 25 == 0:
            _report(options, step + 1, sum(shown) / len(shown), factor, time.monotonic() - began)
            shown = []
        if (step + 1) % options.save_every == 0 or step + 1 == options.until or stops:
            _save_state(state_file, parameters, averages, optimisers, text, step + 1)
        if stops:
            break


def trained_parameters(unet: UNet2DConditionModel, text: CLIPTextModel) -> dict[str, torch.nn.Parameter]:
    """Everything that training moves, named unet.* and text.*."""
    named = {f"unet.{name}": p for name, p in unet.named_parameters()}
    named |= {f"text.{name}": p for name, p in text.named_parameters() if p.requires_grad}
    return named


@dataclass(frozen=True)
class _Batch:
    """`clean`: latents [B, 4, h, w]; `ids`: tokens [B, T]; `times`: 0 … 999 [B]; `noise`: as `clean`."""

    clean: torch.Tensor
    ids: torch.Tensor
    times: torch.Tensor
    noise: torch.Tensor
    clip_skip: int

    def split(self, parts: int) -> list["_Batch"]:
        chunks = (tensor.chunk(parts) for tensor in (self.clean, self.ids, self.times, self.noise))
        return [_Batch(a, b, c, d, self.clip_skip) for a, b, c, d in zip(*chunks, strict=True)]


def _draw_batch(
    rng: np.random.Generator, tokenizer: CLIPTokenizer, scenes: list, latents: torch.Tensor, count: int
) -> _Batch:
    picks = rng.integers(len(scenes), size=count)
    ids = step_ids(rng, tokenizer, step_captions(rng, [scenes[index] for index in picks]))
    # Evenly spread times make one step's loss far less noisy than independent ones.
    times = torch.from_numpy(((np.arange(count) + rng.random(count)) / count * 1000).astype(np.int64))
    clean = latents[torch.from_numpy(picks)]
    return _Batch(clean, ids, times, torch.randn_like(clean), 2 if rng.random() < CLIP_SKIP_SHARE else 1)


def _backward_side_by_side(
    pool: ThreadPoolExecutor,
    parts: list[_Batch],
    unet: UNet2DConditionModel,
    text: CLIPTextModel,
    parameters: dict[str, torch.nn.Parameter],
) -> float:
    """Set each parameter's gradient to the mean over the parts; returns the unweighted mean squared error."""

    def gradients(part: _Batch) -> tuple[tuple[torch.Tensor | None, ...], float]:
        loss, error = _losses(part, unet, text)
        return torch.autograd.grad(loss, list(parameters.values()), allow_unused=True), error

    results = list(pool.map(gradients, parts))
    for index, parameter in enumerate(parameters.values()):
        grads = [grad for grads, _ in results if (grad := grads[index]) is not None]
        parameter.grad = torch.stack(grads).sum(0) / len(parts) if grads else None
    return sum(error for _, error in results) / len(parts)


def _losses(batch: _Batch, unet: UNet2DConditionModel, text: CLIPTextModel) -> tuple[torch.Tensor, float]:
    context = encode_text(text, batch.ids, batch.clip_skip)
    alphas = noise_schedule().float()[batch.times].view(-1, 1, 1, 1)
    noisy = alphas.sqrt() * batch.clean + (1 - alphas).sqrt() * batch.noise
    noisy = noisy.contiguous(memory_format=torch.channels_last)
    errors = (unet(noisy, batch.times, context).sample - batch.noise).square().mean(dim=(1, 2, 3))
    ratio = (alphas / (1 - alphas)).flatten()
    return (errors * ratio.clamp(max=MIN_SNR) / ratio).mean(), float(errors.detach().mean())


def _schedule(step: int, until: int, decay: int) -> float:
    tail = 1.0 if decay == 0 else max(0.02, min(1.0, (until - step) / decay))
    return min(1.0, (step + 1) / 100) * tail


def _optimisers(parameters: dict[str, torch.nn.Parameter]) -> list[torch.optim.Optimizer]:
    ends = ("conv_in", "conv_out", "embedding")
    matrices = [p for name, p in parameters.items() if p.ndim >= 2 and not any(part in name for part in ends)]
    chosen = {id(p) for p in matrices}
    others = [p for p in parameters.values() if id(p) not in chosen]
    optimisers = [Muon(matrices, lr=0.01), torch.optim.AdamW(others, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.0)]
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return optimisers


def _report(options: argparse.Namespace, step: int, error: float, factor: float, seconds: float) -> None:
    row = {"part": "unet", "step": step, "size": options.size, "batch": options.batch, "mse": round(error, 5)}
    row |= {"rate": round(factor, 3), "seconds": round(seconds, 1)}
    with (options.out / "log.jsonl").open("a") as log:
        log.write(json.dumps(row) + "\n")


def _save_state(
    path: Path,
    parameters: dict[str, torch.nn.Parameter],
    averages: dict[str, torch.Tensor],
    optimisers: list[torch.optim.Optimizer],
    text: CLIPTextModel,
    step: int,
) -> None:
    embedding = text.embeddings.token_embedding
    state = {
        "parameters": {name: p.detach() for name, p in parameters.items()},
        "averages": averages,
        "optimisers": [optimiser.state_dict() for optimiser in optimisers],
        "table": {"ids": embedding.ids, "frozen": embedding.frozen},
        "step": step,
    }
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)


def _load_state(
    path: Path,
    parameters: dict[str, torch.nn.Parameter],
    averages: dict[str, torch.Tensor],
    optimisers: list[torch.optim.Optimizer],
) -> int:
    state = torch.load(path, weights_only=True)
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(state["parameters"][name])
            averages[name].copy_(state["averages"][name])
    for optimiser, saved in zip(optimisers, state["optimisers"], strict=True):
        optimiser.load_state_dict(saved)
    return int(state["step"])


if __name__ == "__main__":
    main()
