"""Run folders with a drawn data set of a few pictures, and the real trainer process over them."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from PIL import Image, ImageDraw

from trainer.__main__ import main

ROOT = Path(__file__).parents[2]
_SCHEMA = json.loads((ROOT / "protocol" / "schema.json").read_text(encoding="utf-8"))
_EVENT = Draft202012Validator({"$ref": "#/$defs/TrainerEvent", "$defs": _SCHEMA["$defs"]})

GRID = {
    "enabled": False,
    "weights": [0.5, 1, 1.5],
    "prompts": ["zorp, red", "a red circle"],
    "negativePrompt": "",
    "seeds": [1],
    "sampler": "ddim",
    "steps": 3,
    "cfgScale": 4,
}


def write_run(folder: Path, checkpoint: Path, *, images: int = 8, epochs: int = 2, **settings: Any) -> Path:  # noqa: ANN401
    """Write pictures, plan.json and run.json into `folder`; `settings` are the plan's, in camelCase."""
    pictures = [_picture(folder / "dataset", index) for index in range(images)]
    batch = settings.get("batchSize", 2)
    samples = Counter(tuple(image["bucket"]) for image in pictures if not image["heldOut"])
    buckets = [
        {"size": list(size), "images": count, "samples": 2 * count, "batches": -(-2 * count // batch)}
        for size, count in samples.items()
    ]
    steps = -(-sum(bucket["batches"] for bucket in buckets) // settings.get("gradientAccumulationSteps", 1))
    names = [f"zorp-{epoch:06d}" for epoch in range(1, epochs)] + ["zorp"]
    plan = {
        "planVersion": 1,
        "id": "00112233445566ff",
        "createdAt": 1,
        "baseModel": {"name": "tiny", "path": str(checkpoint), "kind": "sd1", "resolution": 64, "bytes": 1},
        "dataset": {"name": "zorp", "root": str(folder / "dataset"), "triggerWord": "zorp"},
        "settings": {**_settings(epochs, steps), **settings},
        "images": pictures,
        "buckets": buckets,
        "stepsPerEpoch": steps,
        "totalSteps": steps * epochs,
        "samplesPerEpoch": 2 * sum(samples.values()),
        "exposuresPerImage": 2.0 * epochs,
        "maxCaptionTokens": 9,
        "files": [f"{name}.safetensors" for name in names],
        "diskBytes": 1,
        "genericPrompts": ["a red circle", "a blue square", "a tree"],
        "warnings": [],
    }
    run = {
        "id": "run",
        "planId": plan["id"],
        "loraDir": str(folder / "models"),
        "outputName": "zorp",
        "files": plan["files"],
        "createdAt": 1,
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "run.json").write_text(json.dumps(run))
    return folder


def change_plan(folder: Path, **changes: Any) -> None:  # noqa: ANN401
    """Overwrite fields at the top of plan.json."""
    path = folder / "plan.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


class Trainer:
    """The trainer in a process of its own, whose events are checked against the contract as they are read.

    It is forked from the test, which has the heavy imports behind it; `fork=False` starts `python -m trainer`.
    """

    def __init__(self, *arguments: str, file_limit: int | None = None, fork: bool = True) -> None:
        commands, self._stdin = os.pipe()
        stdout, events = os.pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self.pid = os.fork() if fork else 0
        if fork and self.pid == 0:
            for pipe in (self._stdin, stdout):
                os.close(pipe)
            _be_trainer(arguments, commands, events, self._log.fileno(), file_limit)
        if not fork:
            command = [sys.executable, "-m", "trainer", *arguments]
            streams = {"stdin": commands, "stdout": events, "stderr": self._log}
            self.pid = subprocess.Popen(command, cwd=ROOT / "trainer-py", **streams).pid
        os.close(commands)
        os.close(events)
        self._events = os.fdopen(stdout, "rb")

    def events(self) -> Iterator[dict[str, Any]]:
        for line in self._events:
            event = json.loads(line)
            _EVENT.validate(event)
            yield event

    def until(self, kind: str, **fields: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        """Events up to and including the first of this type with these fields."""
        seen = []
        for event in self.events():
            seen.append(event)
            if event["type"] == kind and all(event[key] == value for key, value in fields.items()):
                return seen
        raise AssertionError(f"no {kind} {fields} among {[event['type'] for event in seen]}: {self.log()}")

    def say(self, text: str) -> None:
        os.write(self._stdin, text.encode() + b"\n")

    def close_stdin(self) -> None:
        os.close(self._stdin)
        self._stdin = -1

    def hang_up(self) -> int:
        """Close both pipes as a killed server does, and give the exit code."""
        self._events.close()
        self.close_stdin()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def end(self) -> tuple[list[dict[str, Any]], int]:
        """The remaining events and the exit code."""
        rest = list(self.events())
        _, status = os.waitpid(self.pid, 0)
        self._events.close()
        if self._stdin >= 0:
            self.close_stdin()
        return rest, os.waitstatus_to_exitcode(status)

    def log(self) -> str:
        """What was written to stderr."""
        self._log.seek(0)
        return self._log.read().decode()


def train(folder: Path) -> list[dict[str, Any]]:
    """Train to the end and give all events."""
    events, code = Trainer("train", str(folder)).end()
    assert code == 0, events[-1]
    return events


def _be_trainer(arguments: tuple[str, ...], stdin: int, stdout: int, stderr: int, file_limit: int | None) -> None:
    try:
        for pipe, number in ((stdin, 0), (stdout, 1), (stderr, 2)):
            os.dup2(pipe, number)
        os.close(stdin)
        os.close(stdout)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        if file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
        code = main(list(arguments))
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        code = 99
    os._exit(code)


def _settings(epochs: int, steps: int) -> dict[str, Any]:
    return {
        "outputName": "zorp",
        "subject": "character",
        "resolution": {"width": 64, "height": 64},
        "minBucketReso": 64,
        "maxBucketReso": 128,
        "bucketResoSteps": 64,
        "bucketNoUpscale": False,
        "targetSteps": epochs * steps,
        "epochs": epochs,
        "batchSize": 2,
        "networkDim": 4,
        "networkAlpha": 1,
        "unetLr": 2e-3,
        "textEncoderLr": 1e-3,
        "optimizer": "AdamW",
        "lrScheduler": "cosine",
        "lrWarmupSteps": 0,
        "weightDecay": 0.01,
        "maxGradNorm": 1,
        "mixedPrecision": "no",
        "savePrecision": "fp16",
        "seed": 42,
        "shuffleCaption": True,
        "keepTokens": 1,
        "clipSkip": 1,
        "maxTokenLength": 75,
        "heldOutImages": 2,
        "grid": GRID,
    }


def _picture(root: Path, index: int) -> dict[str, Any]:
    size = (128, 64) if index % 4 == 3 else (64, 64)
    colours = random.Random(index)
    picture = Image.new("RGB", size, tuple(colours.randrange(256) for _ in range(3)))
    ImageDraw.Draw(picture).ellipse((8, 8, size[0] - 9, size[1] - 9), fill=(colours.randrange(256), 30, 200))
    name = f"2_zorp/{index}.png"
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    picture.save(root / name)
    return {
        "id": name,
        "subset": "2_zorp",
        "width": size[0],
        "height": size[1],
        "bucket": list(size),
        "resized": list(size),
        "cropLoss": 0.0,
        "repeats": 2,
        "caption": f"zorp, red, tag {index}, Big",
        "tokens": 9,
        "heldOut": index < 2,
    }
