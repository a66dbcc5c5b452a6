"""The account of each step: said as an event, kept as curves, and watched."""

import torch

from trainer.events import emit
from trainer.run.session import Session
from trainer.run.spill_watch import SpillWatch
from trainer.save.tensorboard import TensorboardFile
from trainer.step.training_step import StepResult


class Pace:
    """To be told of the beginning and the end of each step of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._curves = TensorboardFile(session.run_dir / "tensorboard")
        self._spill = SpillWatch()
        self._seconds_per_step = 0.0
        self._started = 0.0

    def begin(self) -> None:
        self._started = self._session.commands.clock()

    def end(self, result: StepResult) -> None:
        """Say the step that is done and add its time to the run's accounts."""
        plan, progress, clock = self._session.plan, self._session.progress, self._session.commands.clock
        seconds = clock() - self._started
        before = self._seconds_per_step
        self._seconds_per_step = 0.9 * before + 0.1 * seconds if before else seconds
        rate = plan.settings.unet_lr * result.factor
        weighted = {} if result.optimized == result.loss else {"optimized_loss": result.optimized}
        scaled = {} if result.keys_scaled is None else {"keys_scaled": result.keys_scaled}
        emit(
            {
                "type": "step",
                "step": progress.step,
                "epoch": (progress.step - 1) // plan.steps_per_epoch + 1,
                "loss": result.loss,
                **weighted,
                "learning_rate": rate,
                "seconds_per_step": self._seconds_per_step,
                **scaled,
            }
        )
        self._curves.add(progress.step, {"loss": result.loss, **weighted, "learning_rate": rate})
        self._watch(result)
        progress.compute_seconds += result.compute_seconds
        progress.train_seconds += clock() - self._started

    def _watch(self, result: StepResult) -> None:
        device = self._session.base.device
        if device.type != "cuda":
            return
        free, total = torch.cuda.mem_get_info(device)
        warning = self._spill.look(seconds=result.compute_seconds, pixels=result.pixels, used=total - free, total=total)
        if warning:
            self._session.warn(warning)
