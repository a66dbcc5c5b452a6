"""What a training run holds in its hands: plan, models, state and the accounts of its time."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from trainer.commands import Commands
from trainer.dataset.masks import load_masks
from trainer.dataset.picture_source import PictureSource, training_samples
from trainer.dataset.sample_crop import centre_samples
from trainer.evaluation.evaluate import Evaluation
from trainer.events import emit, emit_stage
from trainer.failure import Failure, NonFiniteError
from trainer.journal import Journal
from trainer.model.base_model import BaseModel
from trainer.model.file_hash import FileHash
from trainer.network.finite import finite
from trainer.network.network import LoraNetwork
from trainer.network.plan_network import learning_rates, plan_network, plan_targets, read_start
from trainer.plan import Plan, Run
from trainer.progress import Progress
from trainer.ranks import ALONE, Ranks
from trainer.run.run_material import load_material
from trainer.run.state import StateFolder
from trainer.side_by_side import threads_side_by_side
from trainer.step.optimizer import Optimizer
from trainer.step.schedule import warmup_steps
from trainer.step.training_step import TrainingSteps


@dataclass(frozen=True)
class Session:
    """Everything that was set up; `progress` is the only part that changes by itself."""

    plan: Plan
    run: Run
    run_dir: Path
    base: BaseModel
    network: LoraNetwork
    optimizer: Optimizer
    steps: TrainingSteps
    evaluation: Evaluation
    base_hash: FileHash
    commands: Commands
    folder: StateFolder
    progress: Progress
    journal: Journal
    ranks: Ranks = ALONE

    def stage(self, name: str, done: int, total: int) -> None:
        """Say what is being done besides stepping. Raises Interrupted when a command waits."""
        emit_stage(name, done, total)
        if done < total:
            self.commands.check()

    def warn(self, message: str) -> None:
        """Tell the user something that stops nothing."""
        emit({"type": "warning", "message": message})

    def save_state(self) -> None:
        """Have the exact state of the present step on disk, and say so when it was not there yet.

        Raises Failure `disk_full`, and NonFiniteError rather than keep numbers that are not finite.
        """
        if self.progress.step == 0 or self.progress.tensors == self.folder.tensor_name(self.progress):
            self.folder.save_progress(self.progress)
            return
        tensors = self.optimizer.tensors()
        if not finite(tensors):
            raise NonFiniteError("a weight of the LoRA is not finite")
        self.progress.loss_scale = self.optimizer.loss_scale
        self.progress.good_steps = self.optimizer.good_steps
        self.folder.save(self.progress, tensors)
        emit({"type": "stateSaved", "step": self.progress.step})

    def save_progress(self) -> None:
        """Note what else has been done. Numbers that no state has yet are made again by a resumption from the start."""
        saved = self.progress if self.progress.tensors else replace(self.progress, step=0)
        self.folder.save_progress(saved)


def open_session(  # noqa: PLR0913
    plan: Plan,
    run: Run,
    run_dir: Path,
    *,
    device: torch.device,
    commands: Commands,
    folder: StateFolder,
    progress: Progress,
    ranks: Ranks = ALONE,
) -> Session:
    """Load the base model, build the LoRA and put it at its saved state.

    Raises Failure for a base model, a picture or a state that can't be used, Interrupted when a command comes in.
    """
    start = read_start(plan.settings)
    centres = centre_samples(plan)
    samples = [*centres, *training_samples(plan)]
    parts = _parts(plan, ranks)
    material = load_material(plan, run, run_dir, samples, device=device, parts=parts, commands=commands, ranks=ranks)
    base, latents = material.base, material.latents
    if progress.step or ranks.count > 1:
        latents.encode_all()

    def centre_latents() -> dict[str, Tensor]:
        # First asked for after the first step, which needs its own pictures alone and should not wait for the others.
        latents.encode_all()
        return {sample.image.id: latents[sample] for sample in centres}

    pictures = PictureSource(base, plan, latents, load_masks(Path(plan.dataset.root), plan))
    targets = plan_targets(plan, base)
    network = plan_network(plan, base, targets, hands=_hands(plan, base.device, ranks), start=start)
    optimizer = _optimizer(plan, network)
    tensors = folder.read_tensors(progress)
    if tensors:
        _restore(optimizer, tensors)
        optimizer.loss_scale, optimizer.good_steps = progress.loss_scale, progress.good_steps
    return Session(
        plan=plan,
        run=run,
        run_dir=run_dir,
        base=base,
        network=network,
        optimizer=optimizer,
        steps=TrainingSteps(base, network, optimizer, plan, pictures, ranks),
        evaluation=Evaluation(
            base,
            network,
            targets,
            plan,
            centre_latents,
        ),
        base_hash=material.base_hash,
        commands=commands,
        folder=folder,
        progress=progress,
        journal=Journal(run_dir),
        ranks=ranks,
    )


def _parts(plan: Plan, ranks: Ranks) -> frozenset[str]:
    parts = {"unet", "text_encoder", "vae_encoder"}
    return frozenset(parts | {"vae_decoder"} if plan.settings.grid.enabled and ranks.is_first else parts)


def _hands(plan: Plan, device: torch.device, ranks: Ranks) -> int:
    pixels = plan.settings.resolution.width * plan.settings.resolution.height
    return min(threads_side_by_side(device, pixels), -(-plan.settings.batch_size // ranks.count))


def _restore(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    try:
        optimizer.restore(tensors)
    except (KeyError, RuntimeError, ValueError) as error:
        raise Failure(
            "crashed",
            "Expected a saved state that this version can go on from, but the numbers in the run's folder state are of "
            "another one. Plan a new run with the last saved epoch as networkWeights, or remove that folder to train "
            "this run from its start.",
            f"{type(error).__name__}: {error}",
        ) from error


def _optimizer(plan: Plan, network: LoraNetwork) -> Optimizer:
    warmup = warmup_steps(plan.settings, plan.total_steps)
    return Optimizer(network, plan.settings, learning_rates=learning_rates(plan.settings), warmup=warmup)
