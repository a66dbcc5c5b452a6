"""`start_kohya.py REQUEST.json`, run in a checkout of sd-scripts: its own training, with the probe put in from outside.

None of its files is changed. What differs from its usual run: noise and timesteps are those of `same_noise`, latents
are the mean of the autoencoder's distribution, and in a counting run AdamW and clipping use the calls over lists of
tensors that they use by themselves on a GPU.
"""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))
sys.path.append(str(Path(__file__).parents[2]))

from bench.versus.probe import Probe  # noqa: E402
from bench.versus.same_noise import same_noise  # noqa: E402


def main(request: dict[str, Any]) -> None:
    """Run train_network.py with the request's arguments."""
    probe = Probe(Path(request["out"]), last=request["steps"], counts=request["counts"])
    _put_in(probe)
    if request["counts"]:
        _as_on_gpu()
    sys.argv = ["train_network.py", *request["arguments"]]
    runpy.run_path("train_network.py", run_name="__main__")


def _put_in(probe: Probe) -> None:
    from accelerate import Accelerator
    from accelerate.optimizer import AcceleratedOptimizer
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
    from library import train_util
    from library.original_unet import UNet2DConditionModel
    from transformers import CLIPTextModel

    for owner, name in (
        (UNet2DConditionModel, "forward"),
        (CLIPTextModel, "forward"),
        (Accelerator, "backward"),
        (Accelerator, "clip_grad_norm_"),
        (AcceleratedOptimizer, "step"),
    ):
        setattr(owner, name, probe.timed(getattr(owner, name)))
    DiagonalGaussianDistribution.sample = lambda self, generator=None: self.mode()  # noqa: ARG005
    _note_batches(train_util, probe)
    steps = iter(range(1 << 30))

    def noised(_args: Any, scheduler: Any, latents: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401
        noise, timesteps = same_noise(next(steps), latents)
        return noise, scheduler.add_noise(latents, noise, timesteps), timesteps

    train_util.get_noise_noisy_latents_and_timesteps = noised
    add = train_util.LossRecorder.add
    set_postfix = train_util.tqdm.set_postfix
    losses: list[float] = []

    def added(self: Any, *, epoch: int, step: int, loss: float) -> None:  # noqa: ANN401
        add(self, epoch=epoch, step=step, loss=loss)
        losses.append(loss)

    def shown(self: Any, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        set_postfix(self, *arguments, **named)
        if losses:
            probe.step_ends(losses.pop())

    train_util.LossRecorder.add = added
    train_util.tqdm.set_postfix = shown


def _note_batches(train_util: Any, probe: Probe) -> None:  # noqa: ANN401
    take = train_util.BaseDataset.__getitem__

    def taken(self: Any, index: int) -> Any:  # noqa: ANN401
        example = take(self, index)
        probe.batch(example["captions"])
        return example

    train_util.BaseDataset.__getitem__ = taken


def _as_on_gpu() -> None:
    from torch.utils import _foreach_utils

    kinds = [*_foreach_utils._get_foreach_kernels_supported_devices(), "cpu"]
    _foreach_utils._get_foreach_kernels_supported_devices = lambda: kinds
    import torch.optim.optimizer as optimizers

    optimizers._get_foreach_kernels_supported_devices = lambda: kinds


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
