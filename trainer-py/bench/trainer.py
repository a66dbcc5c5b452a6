"""`python -m bench.trainer`: the real trainer process on pictures drawn for it; prints one JSON line of figures."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pocket.draw import draw_picture

ROOT = Path(__file__).resolve().parent.parent
POCKET = ROOT / "pocket" / "model" / "pocket.safetensors"
IMAGES = 24
HELD_OUT = 2
EPOCHS = 2
SIDE = 128


def main(arguments: Sequence[str]) -> int:
    """Train and print {bench, steps, batchSize, stepsPerSecond, peakRssMb, overhead}; exit code 1 when it failed.

    overhead: share of the training time outside forward, backward and optimizer, of measuring and saving epochs too.
    """
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-trainer-") as folder:
        run_dir = Path(folder)
        _write_run(run_dir, options)
        ending = _train(run_dir)
    if ending["type"] != "finished":
        sys.stderr.write(f"Expected the training to finish, but it ended with {json.dumps(ending)}.\n")
        return 1
    result = {
        "bench": "trainer",
        "steps": ending["step"],
        "batchSize": options.batch,
        "stepsPerSecond": round(ending["step"] / ending["trainSeconds"], 3),
        "peakRssMb": round(ending["peakRssMb"], 1),
        "overhead": round(1 - ending["computeSeconds"] / ending["trainSeconds"], 4),
    }
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.trainer", description=__doc__)
    parser.add_argument("--base", type=Path, default=POCKET, help="checkpoint to train on")
    parser.add_argument("--steps", type=int, default=80, help="about so many steps, in two epochs")
    parser.add_argument("--batch", type=int, default=4)
    return parser.parse_args(arguments)


def _write_run(run_dir: Path, options: argparse.Namespace) -> None:
    images = _draw_images(run_dir / "dataset")
    trained = IMAGES - HELD_OUT
    repeats = max(1, round(options.steps * options.batch / EPOCHS / trained))
    for image in images:
        image["repeats"] = repeats
    steps = -(-trained * repeats // options.batch)
    bucket = {"size": [SIDE, SIDE], "images": trained, "samples": trained * repeats, "batches": steps}
    plan = {
        "planVersion": 1,
        "id": "be4c00000000be4c",
        "createdAt": 0,
        "baseModel": {
            "name": options.base.stem,
            "path": str(options.base),
            "kind": "sd1",
            "resolution": SIDE,
            "bytes": options.base.stat().st_size,
        },
        "dataset": {"name": "bench", "root": str(run_dir / "dataset"), "triggerWord": "bench"},
        "settings": _settings(steps, options.batch),
        "images": images,
        "buckets": [bucket],
        "stepsPerEpoch": steps,
        "totalSteps": steps * EPOCHS,
        "samplesPerEpoch": trained * repeats,
        "exposuresPerImage": float(repeats * EPOCHS),
        "maxCaptionTokens": 40,
        "files": ["bench-000001.safetensors", "bench.safetensors"],
        "diskBytes": 0,
        "genericPrompts": ["a red circle", "a blue square", "two green stars", "a small house"],
        "warnings": [],
    }
    run = {
        "id": "bench",
        "planId": plan["id"],
        "loraDir": str(run_dir / "loras"),
        "outputName": "bench",
        "files": plan["files"],
        "createdAt": 0,
    }
    (run_dir / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    (run_dir / "run.json").write_text(json.dumps(run), encoding="utf-8")


def _draw_images(folder: Path) -> list[dict[str, Any]]:
    folder.mkdir()
    rng = np.random.default_rng(0)
    images = []
    for index in range(IMAGES):
        picture, caption = draw_picture(rng, SIDE)
        picture.save(folder / f"{index:02}.png")
        images.append(
            {
                "id": f"{index:02}.png",
                "subset": ".",
                "width": SIDE,
                "height": SIDE,
                "bucket": [SIDE, SIDE],
                "resized": [SIDE, SIDE],
                "cropLoss": 0,
                "repeats": 1,
                "caption": f"bench, {caption}",
                "tokens": 0,
                "heldOut": index >= IMAGES - HELD_OUT,
            }
        )
    return images


def _settings(steps: int, batch: int) -> dict[str, Any]:
    return {
        "outputName": "bench",
        "subject": "concept",
        "resolution": {"width": SIDE, "height": SIDE},
        "minBucketReso": 64,
        "maxBucketReso": 256,
        "bucketResoSteps": 64,
        "bucketNoUpscale": False,
        "targetSteps": steps * EPOCHS,
        "epochs": EPOCHS,
        "batchSize": batch,
        "networkDim": 8,
        "networkAlpha": 8,
        "unetLr": 1e-3,
        "textEncoderLr": 5e-4,
        "optimizer": "AdamW",
        "lrScheduler": "constant",
        "lrWarmupSteps": 0,
        "weightDecay": 0.01,
        "maxGradNorm": 1,
        "mixedPrecision": "no",
        "savePrecision": "fp16",
        "seed": 1,
        "shuffleCaption": True,
        "keepTokens": 1,
        "clipSkip": 1,
        "maxTokenLength": 75,
        "heldOutImages": HELD_OUT,
        "grid": {
            "enabled": False,
            "weights": [1],
            "prompts": [],
            "negativePrompt": "",
            "seeds": [1],
            "sampler": "ddim",
            "steps": 20,
            "cfgScale": 7,
        },
    }


def _train(run_dir: Path) -> dict[str, Any]:
    # The trainer pauses when its stdin closes, so it gets one that stays open.
    with (run_dir / "trainer.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "trainer", "train", str(run_dir)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        assert process.stdout is not None
        event: dict[str, Any] = {"type": "nothing"}
        for line in process.stdout:
            event = json.loads(line)
        process.wait()
    if event["type"] != "finished":
        sys.stderr.write((run_dir / "trainer.log").read_text(errors="replace")[-2000:])
    return event


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
