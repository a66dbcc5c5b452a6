"""The state a killed run goes on from: exact numbers, and what was already said and done."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from trainer import atomic_file
from trainer.failure import Failure
from trainer.progress import Progress

_GOOD = ("step", "tensors", "loss_scale", "good_steps")


class StateFolder:
    """`<run>/state/`: one tensor file a saved step, and state.json that names the valid one and is replaced at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = folder / "state.json"

    def read(self, plan_id: str) -> Progress:
        """Progress of the run, fresh when nothing was saved. Raises Failure `bad_plan` for another plan's state."""
        try:
            value: dict[str, Any] = json.loads(self._index.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Progress(plan_id)
        except ValueError as error:
            raise self._damaged() from error
        known = {item.name for item in dataclasses.fields(Progress)}
        progress = Progress(**{key: item for key, item in value.items() if key in known})
        if progress.plan_id != plan_id:
            raise Failure(
                "bad_plan",
                f"Expected a saved state of plan {plan_id} in {self._folder}, found one of plan "
                f"{progress.plan_id}; start a new run.",
            )
        return progress

    def read_tensors(self, progress: Progress) -> dict[str, Tensor] | None:
        """The numbers at `progress.step`; None before the first save. Raises Failure `crashed` for damaged ones."""
        if not progress.tensors:
            return None
        try:
            return load((self._folder / progress.tensors).read_bytes())
        except (OSError, SafetensorError) as error:
            raise self._damaged() from error

    def tensor_name(self, progress: Progress) -> str:
        """The file that holds the numbers of the present step once they are saved."""
        return f"step-{progress.step:08d}.safetensors"

    def save(self, progress: Progress, tensors: dict[str, Tensor]) -> None:
        """Write the numbers, then point state.json at them, then drop older ones. Raises Failure `disk_full`."""
        progress.tensors = self.tensor_name(progress)
        plain = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
        atomic_file.replace(self._folder / progress.tensors, [save(plain)])
        self.save_progress(progress)
        for file in self._folder.glob("*step-*"):
            if file.name not in (progress.tensors, progress.good.get("tensors")):
                file.unlink(missing_ok=True)

    def save_progress(self, progress: Progress) -> None:
        """Note what has been done since at the same step; a few hundred bytes."""
        atomic_file.replace(self._index, [json.dumps(dataclasses.asdict(progress), indent=1).encode()])

    def mark_good(self, progress: Progress) -> None:
        """Remember the present state, which is on disk, as the end of an epoch."""
        progress.good = {name: getattr(progress, name) for name in _GOOD}
        self.save_progress(progress)
        for file in self._folder.glob("*step-*"):
            if file.name != progress.tensors:
                file.unlink(missing_ok=True)

    def go_back(self, progress: Progress, rate: float) -> None:
        """Return to the end of the last epoch, or to the start, with another factor on the learning rates."""
        for name, value in (progress.good or {"step": 0, "tensors": "", "loss_scale": 1.0, "good_steps": 0}).items():
            setattr(progress, name, value)
        progress.rate = rate
        self.save_progress(progress)

    def _damaged(self) -> Failure:
        return Failure(
            "crashed",
            f"Expected the saved state of the run in {self._folder}, but it is damaged; "
            "remove that folder to train the run from its start.",
        )
