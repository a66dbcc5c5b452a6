"""
The runs whose epochs the axes offer: those that the server tells, and families of files that lie in the LoRA folder.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NUMBERED = re.compile(r"(.+)-(\d{6})")
"""kohya's names, and ours: `name-000001` …, the last epoch is `name` alone."""

SCAN_SECONDS = 2.0
"""For how long a scan of the folder is believed; dropdowns ask several times in a row."""


@dataclass(frozen=True)
class Save:
    """One epoch's file. `epoch` is None for a last epoch of which nobody told the number."""

    name: str
    epoch: int | None


@dataclass(frozen=True)
class TrainedRun:
    """A run and its saves in the order of their epochs."""

    name: str
    trigger_word: str
    saves: tuple[Save, ...]


_told: tuple[TrainedRun, ...] = ()
_scanned: tuple[float, str, tuple[TrainedRun, ...]] = (float("-inf"), "", ())


def set_runs(runs: list[dict[str, Any]]) -> None:
    """What the server's `setRuns` says, newest run last."""
    global _told
    _told = tuple(
        TrainedRun(
            run["name"],
            run["triggerWord"],
            tuple(sorted((Save(s["name"], s["epoch"]) for s in run["saves"]), key=lambda save: save.epoch or 0)),
        )
        for run in runs
    )


def known_runs() -> list[TrainedRun]:
    """Newest first; then what else lies in the LoRA folder. Quick, never raises."""
    told = [run for run in reversed(_told) if run.saves]
    names = {save.name for run in told for save in run.saves}
    return [*told, *(run for run in _scan() if not any(save.name in names for save in run.saves))]


def epoch_names() -> list[str]:
    """Every save's file name, the newest run's first."""
    return list(dict.fromkeys(save.name for run in known_runs() for save in run.saves))


def run_of(name: str) -> TrainedRun | None:
    """The run to which a file name belongs."""
    return next((run for run in known_runs() if any(save.name == name for save in run.saves)), None)


def epoch_of(name: str) -> int | None:
    """A file's epoch: told by the server, or by its number."""
    run = run_of(name)
    told = next((save.epoch for save in run.saves if save.name == name), None) if run else None
    numbered = NUMBERED.fullmatch(name)
    return told if told is not None else int(numbered.group(2)) if numbered else None


def _scan() -> tuple[TrainedRun, ...]:
    global _scanned
    try:
        from .facts import lora_dir

        folder = str(lora_dir())
        if time.monotonic() - _scanned[0] > SCAN_SECONDS or _scanned[1] != folder:
            _scanned = (time.monotonic(), folder, families(_lora_names(folder)))
        return _scanned[2]
    except Exception:
        return ()


def families(names: list[str]) -> tuple[TrainedRun, ...]:
    """Groups `name-000001`, `name-000002`, `name` into runs; a name without numbered siblings is no run."""
    numbered: dict[str, list[Save]] = {}
    for name in names:
        found = NUMBERED.fullmatch(name)
        if found:
            numbered.setdefault(found.group(1), []).append(Save(name, int(found.group(2))))
    last = set(names)
    return tuple(
        TrainedRun(
            run, "", (*sorted(saves, key=lambda save: save.epoch or 0), *([Save(run, None)] if run in last else []))
        )
        for run, saves in numbered.items()
    )


def _lora_names(folder: str) -> list[str]:
    return sorted({os.path.splitext(file)[0] for file in _files(folder) if file.endswith(".safetensors")})


def _files(folder: str) -> Iterator[str]:
    for _root, _folders, files in os.walk(folder, followlinks=True):
        yield from files
