"""What a run is made of before anything is trained: the base model, its hash and the latents of the plan's pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from trainer.commands import Commands
from trainer.dataset.latent_cache import LatentCache
from trainer.dataset.latent_folder import latent_folder
from trainer.dataset.sample_crop import Sample
from trainer.events import emit_stage
from trainer.model.base_model import BaseModel
from trainer.model.file_hash import FileHash
from trainer.model.plan_base import load_plan_base
from trainer.plan import Plan, Run
from trainer.ranks import ALONE, Ranks


@dataclass(frozen=True)
class RunMaterial:
    """latents: (4, h, w) by sample, made when they are asked for."""

    base: BaseModel
    base_hash: FileHash
    latents: LatentCache


def load_material(  # noqa: PLR0913
    plan: Plan,
    run: Run,
    run_dir: Path,
    samples: Sequence[Sample],
    *,
    device: torch.device,
    parts: frozenset[str],
    commands: Commands,
    ranks: Ranks = ALONE,
) -> RunMaterial:
    """Load the base model. Latents tell how far they are while they are made; several processes share all of that out.

    Raises Failure for a base model or a picture that can't be used, Interrupted when a command comes in.
    """

    def stage(name: str, done: int, total: int) -> None:
        emit_stage(name, done, total)
        commands.check()

    stage("loadingModel", 0, 1)
    path = Path(plan.base_model.path)
    # Hashed in a thread meanwhile; a file that is missing is told of by the load.
    base_hash = FileHash(path) if path.exists() else None
    base = load_plan_base(plan, device=device, parts=parts)
    assert base_hash is not None
    stage("loadingModel", 1, 1)

    def latents_of(some: Sequence[Sample]) -> LatentCache:
        return LatentCache(
            base,
            some,
            root=Path(plan.dataset.root),
            folder=latent_folder(run, run_dir),
            progress=lambda done, total: stage("cachingLatents", done, total),
        )

    if ranks.count > 1:
        latents_of(ranks.mine(samples)).encode_all()
        ranks.meet(commands.check)
    return RunMaterial(base, base_hash, latents_of(samples))
