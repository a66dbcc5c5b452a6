"""Starts one of the two programs on the same task and reads what its probe has found."""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.versus.material import ALPHA, BUCKETS, DIM, Material, SdScripts

SEED = 42
UNET_LR, TEXT_LR = 1e-4, 5e-5
_REPEATS = {1: 7, 4: 8}
"""By batch size, so that a whole epoch is 42 steps, or 12."""


@dataclass(frozen=True)
class Task:
    """`steps` of a run that is planned for more; cached: with what an earlier run has left; counts: ops and bytes."""

    name: str
    batch: int
    steps: int
    precision: str = "no"
    counts: bool = False
    cached: bool = False

    @property
    def planned_steps(self) -> int:
        return len(BUCKETS) * -(-2 * _REPEATS[self.batch] // self.batch)


@dataclass(frozen=True)
class Found:
    """What a run's probe wrote, with the time at which its process was started."""

    started: float
    facts: dict[str, Any]

    @property
    def losses(self) -> list[float]:
        return [step["loss"] for step in self.facts["steps"]]

    @property
    def start_seconds(self) -> float:
        return float(self.facts["steps"][0]["clock"] - self.started)

    def seconds(self, clock: str) -> list[float]:
        """Seconds by "cpu" or "clock" of all steps but the first two, between which ours measures the base model."""
        marks = [step[clock] for step in self.facts["steps"][1:]]
        return [after - before for before, after in zip(marks, marks[1:], strict=False)]

    @property
    def overhead(self) -> float:
        """Median share of a step's processor time outside forward, backward and optimizer."""
        inside = self.seconds("inside")
        return statistics.median(1 - within / whole for within, whole in zip(inside, self.seconds("cpu"), strict=True))


def run_kohya(task: Task, material: Material, sd_scripts: SdScripts, folder: Path) -> Found:
    """sd-scripts' train_network.py. Raises RuntimeError with the end of its log when it fails."""
    dataset = folder / "dataset.json"
    dataset.write_text(json.dumps(_kohya_dataset(task, material)), encoding="utf-8")
    settings: dict[str, Any] = {
        "pretrained_model_name_or_path": material.base,
        "tokenizer_cache_dir": material.tokenizers,
        "dataset_config": dataset,
        "output_dir": folder,
        "output_name": "kohya",
        "network_module": "networks.lora",
        "network_dim": DIM,
        "network_alpha": ALPHA,
        "network_weights": material.lora,
        "unet_lr": UNET_LR,
        "text_encoder_lr": TEXT_LR,
        "learning_rate": UNET_LR,
        "optimizer_type": "AdamW",
        "optimizer_args": "weight_decay=0.01",
        "lr_scheduler": "cosine",
        "max_train_steps": task.planned_steps,
        "max_grad_norm": 1.0,
        "mixed_precision": "no",
        "seed": SEED,
        "clip_skip": 2,
        "max_token_length": 150,
        "max_data_loader_n_workers": 0,
        "save_model_as": "safetensors",
    }
    arguments = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
    arguments += ["--cache_latents", "--sdpa"]
    request = {"arguments": arguments}
    command = [str(sd_scripts.python), str(Path(__file__).with_name("start_kohya.py"))]
    return _run(command, task, request, folder, cwd=sd_scripts.folder)


def run_ours(task: Task, material: Material, batches: list[list[str]], folder: Path, cache: Path) -> Found:
    """Our trainer on captions `batches` of each step; `cache` keeps latents. Raises RuntimeError when it fails."""
    plan = _plan(task, material)
    run = {"id": "bench", "planId": plan["id"], "loraDir": str(folder), "outputName": "bench", "createdAt": 0}
    run |= {"files": plan["files"], "cacheDir": str(cache)}
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    command = [sys.executable, "-m", "bench.versus.start_ours"]
    request = {"runDir": str(folder), "batches": batches}
    return _run(command, task, request, folder, cwd=Path(__file__).parents[2])


def _run(command: list[str], task: Task, request: dict[str, Any], folder: Path, *, cwd: Path) -> Found:
    out, log = folder / "found.json", folder / "log.txt"
    own = {"out": str(out), "steps": task.steps, "counts": task.counts}
    file = folder / "request.json"
    file.write_text(json.dumps({**request, **own}), encoding="utf-8")
    quiet = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
    hidden = {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"}
    environment = {**os.environ, **quiet, **hidden}
    if command[1] != "-m":
        environment.pop("PYTHONPATH", None)
    started = time.time()
    with log.open("wb") as writer:
        # Our trainer pauses when its stdin closes, so it gets one that stays open.
        process = subprocess.Popen(
            [*command, str(file)], cwd=cwd, env=environment, stdin=subprocess.PIPE, stdout=writer, stderr=writer
        )
        try:
            process.wait()
        finally:
            process.kill()
    if not out.exists():
        raise RuntimeError(f"Expected {task.steps} steps of {task.name}, but it ended before:\n{_end_of(log)}")
    return Found(started, json.loads(out.read_text(encoding="utf-8")))


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]


def _kohya_dataset(task: Task, material: Material) -> dict[str, Any]:
    subset = {
        "image_dir": str(material.folder),
        "num_repeats": _REPEATS[task.batch],
        "caption_extension": ".txt",
        "shuffle_caption": True,
        "keep_tokens": 1,
    }
    dataset = {
        "resolution": [256, 256],
        "batch_size": task.batch,
        "min_bucket_reso": 128,
        "max_bucket_reso": 512,
        "bucket_reso_steps": 64,
        "bucket_no_upscale": False,
        "subsets": [subset],
    }
    return {"general": {"enable_bucket": True}, "datasets": [dataset]}


def _plan(task: Task, material: Material) -> dict[str, Any]:
    repeats = _REPEATS[task.batch]
    each = {"subset": ".", "cropLoss": 0, "repeats": repeats, "tokens": 0, "heldOut": False}
    images = [
        {**each, "id": f"{name}.png", "caption": text, "width": w, "height": h, "bucket": (w, h), "resized": (w, h)}
        for name, (w, h), text in material.pictures
    ]
    samples = len(images) * repeats
    bucket = {"images": 2, "samples": 2 * repeats, "batches": -(-2 * repeats // task.batch)}
    base = {"name": "base", "path": str(material.base), "kind": "sd1", "resolution": 512}
    return {
        "planVersion": 1,
        "id": "be4c00000000be4c",
        "createdAt": 0,
        "baseModel": {**base, "bytes": material.base.stat().st_size},
        "dataset": {"name": "bench", "root": str(material.folder), "triggerWord": "bench"},
        "settings": _settings(task, material),
        "images": images,
        "buckets": [{"size": size, **bucket} for size in BUCKETS],
        "stepsPerEpoch": task.planned_steps,
        "totalSteps": task.planned_steps,
        "samplesPerEpoch": samples,
        "exposuresPerImage": float(repeats),
        "maxCaptionTokens": 40,
        "files": ["bench.safetensors"],
        "diskBytes": 0,
        "genericPrompts": ["a red circle"],
        "warnings": [],
    }


def _settings(task: Task, material: Material) -> dict[str, Any]:
    grid = {"enabled": False, "weights": [1], "prompts": [], "negativePrompt": "", "seeds": [1]}
    return {
        "outputName": "bench",
        "subject": "concept",
        "resolution": {"width": 256, "height": 256},
        "minBucketReso": 128,
        "maxBucketReso": 512,
        "bucketResoSteps": 64,
        "bucketNoUpscale": False,
        "targetSteps": task.planned_steps,
        "epochs": 1,
        "batchSize": task.batch,
        "networkDim": DIM,
        "networkAlpha": ALPHA,
        "networkWeights": str(material.lora),
        "unetLr": UNET_LR,
        "textEncoderLr": TEXT_LR,
        "optimizer": "AdamW",
        "lrScheduler": "cosine",
        "lrWarmupSteps": 0,
        "weightDecay": 0.01,
        "maxGradNorm": 1,
        "mixedPrecision": task.precision,
        "savePrecision": "fp16",
        "seed": SEED,
        "shuffleCaption": True,
        "keepTokens": 1,
        "clipSkip": 2,
        "maxTokenLength": 150,
        "heldOutImages": 0,
        "grid": {**grid, "sampler": "ddim", "steps": 20, "cfgScale": 7},
    }
