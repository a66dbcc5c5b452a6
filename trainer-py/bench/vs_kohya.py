"""`python -m bench.vs_kohya [--only KEY,…]`: our trainer and sd-scripts in turns on one task; prints one JSON line.

SD_SCRIPTS_DIR names a checkout of sd-scripts, SD_SCRIPTS_PYTHON the Python that runs it, SD_SCRIPTS_BASE a Stable
Diffusion 1.5 that stands in for the random one. docs/performance.md says what each key means.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.versus.material import Material, SdScripts, make_material
from bench.versus.programs import Found, Task, run_kohya, run_ours

_LONG = 42
_RUNS = {
    "count": Task("counts", batch=1, steps=4, counts=True),
    "first": Task("nothing cached", batch=1, steps=6),
    "second": Task("second run", batch=1, steps=6, cached=True),
    "long": Task("loss curve", batch=1, steps=_LONG, cached=True),
    "four": Task("batch 4", batch=4, steps=5, cached=True),
    "best": Task("bf16", batch=1, steps=6, precision="bf16", cached=True),
    "bestFour": Task("bf16, batch 4", batch=4, steps=5, precision="bf16", cached=True),
}
_OURS_ALONE = {"best": "first", "bestFour": "four"}
"""Runs of ours that are held against another one of sd-scripts, whose bf16 does not run on a CPU."""

Runs = dict[str, Found]
Figure = Callable[[Runs, Runs], float]


def main(arguments: Sequence[str]) -> int:
    """Exit code 2 when sd-scripts is not named."""
    wanted = _wanted(arguments)
    folder, python = os.environ.get("SD_SCRIPTS_DIR"), os.environ.get("SD_SCRIPTS_PYTHON")
    if not folder or not python:
        sys.stderr.write("Expected SD_SCRIPTS_DIR, a checkout of sd-scripts, and SD_SCRIPTS_PYTHON, its Python.\n")
        return 2
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-vs-kohya-") as scratch:
        ours, kohya = _run_all(_needed(wanted), Path(scratch), SdScripts(Path(folder).resolve(), Path(python)))
    figures = {key: round(FIGURES[key][1](ours, kohya), 5) for key in wanted}
    result = {
        "bench": "vs-kohya",
        **figures,
        "gpu": None,
        "gpuNote": "Nothing was measured on a GPU: both programs ran on the CPU with one thread.",
        "ours": {name: _account(found) for name, found in ours.items()},
        "kohya": {name: _account(found) for name, found in kohya.items()},
        "loadBefore": round(load, 2),
        "loadAfter": round(os.getloadavg()[0], 2),
    }
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


def _wanted(arguments: Sequence[str]) -> list[str]:
    parser = argparse.ArgumentParser(prog="npm run bench -- vs-kohya", description=__doc__)
    parser.add_argument("--only", default=",".join(FIGURES), help="these figures alone, separated by commas")
    wanted = str(parser.parse_args(arguments).only).split(",")
    for key in wanted:
        if key not in FIGURES:
            parser.error(f"expected one of {', '.join(FIGURES)}, found {key}")
    return wanted


def _needed(wanted: Sequence[str]) -> list[str]:
    """Names of runs in the order in which they are made; the long one stands for the second run as well."""
    needed = {name for key in wanted for name in FIGURES[key][0]}
    if "long" in needed:
        needed.discard("second")
    return [name for name in _RUNS if name in needed]


def _run_all(names: Sequence[str], scratch: Path, sd_scripts: SdScripts) -> tuple[Runs, Runs]:
    material = make_material(scratch, sd_scripts)
    ours: Runs = {}
    kohya: Runs = {}
    for name in names:
        task = _RUNS[name]
        other = _OURS_ALONE.get(name, name)
        if other not in kohya:
            kohya[other] = run_kohya(_RUNS[other], material, sd_scripts, _folder(scratch, "kohya", other))
            _tell("sd-scripts", _RUNS[other], kohya[other])
        batches = kohya[other].facts["batches"]
        ours[name] = _run_ours(task, material, batches, scratch)
        _tell("ours", task, ours[name])
    for runs in (ours, kohya):
        if "long" in runs:
            runs.setdefault("second", runs["long"])
    return ours, kohya


def _run_ours(task: Task, material: Material, batches: list[list[str]], scratch: Path) -> Found:
    cache = scratch / ("cache" if task.cached or not task.counts else "cache-of-counts")
    return run_ours(task, material, batches, _folder(scratch, "ours", task.name), cache)


def _folder(scratch: Path, program: str, name: str) -> Path:
    folder = scratch / f"{program}-{name}"
    folder.mkdir()
    return folder


def _tell(program: str, task: Task, found: Found) -> None:
    account = json.dumps(_account(found))
    sys.stderr.write(f"{program}, {task.name}, {task.steps} steps: {account}\n")


def _account(found: Found) -> dict[str, float]:
    """The figures of one run on their own."""
    account = {
        "cpuSecondsPerStep": statistics.median(found.seconds("cpu")),
        "secondsPerStep": statistics.median(found.seconds("clock")),
        "startSeconds": found.start_seconds,
        "startCpuSeconds": found.facts["steps"][0]["cpu"],
        "overhead": found.overhead,
        "peakRssMb": found.facts["peakRssMb"],
    }
    for name in ("ops", "computingOps", "keptBytes"):
        if name in found.facts:
            account[name] = found.facts[name]
    return {name: round(value, 4) for name, value in account.items()}


def _fact_ratio(run: str, fact: str) -> Figure:
    return lambda ours, kohya: ours[run].facts[fact] / kohya[run].facts[fact]


def _speed(*runs: str, against: Sequence[str] = ()) -> Figure:
    def ratio(ours: Runs, kohya: Runs) -> float:
        return _median(kohya, against or runs) / _median(ours, runs)

    return ratio


def _median(runs: Runs, names: Sequence[str]) -> float:
    return statistics.median(value for name in names for value in runs[name].seconds("cpu"))


def _start(run: str) -> Figure:
    return lambda ours, kohya: ours[run].start_seconds / kohya[run].start_seconds


def _loss_gap(ours: Runs, kohya: Runs) -> float:
    pairs = zip(ours["long"].losses, kohya["long"].losses, strict=True)
    return statistics.mean(abs(own - other) / abs(other) for own, other in pairs)


FIGURES: dict[str, tuple[tuple[str, ...], Figure]] = {
    "opsRatio": (("count",), _fact_ratio("count", "ops")),
    "savedBytesRatio": (("count",), _fact_ratio("count", "keptBytes")),
    "overhead": (("first",), lambda ours, _: ours["first"].overhead),
    "stepsRatioB1": (("first", "second"), _speed("first", "second")),
    "stepsRatioB4": (("four",), _speed("four")),
    "bestRatioB1": (("first", "best"), _speed("best", against=["first"])),
    "bestRatioB4": (("four", "bestFour"), _speed("bestFour", against=["four"])),
    "startRatio": (("first",), _start("first")),
    "startRatioCached": (("first", "second"), _start("second")),
    "rssRatio": (("first",), _fact_ratio("first", "peakRssMb")),
    "rssRatioBest": (
        ("first", "best"),
        lambda ours, kohya: ours["best"].facts["peakRssMb"] / kohya["first"].facts["peakRssMb"],
    ),
    "lossGap": (("long",), _loss_gap),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
