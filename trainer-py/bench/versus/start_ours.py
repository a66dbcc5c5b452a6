"""`python -m bench.versus.start_ours REQUEST.json`: our own training, with the probe put in from outside.

It sees the captions, pictures, noise and timesteps of the run of sd-scripts that the request names.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

# Said before the first import of torch, as the trainer itself does.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from bench.versus.probe import Probe  # noqa: E402
from bench.versus.same_noise import same_noise  # noqa: E402


def main(request: dict[str, Any]) -> int:
    """Train the request's run; gives back only when that has failed."""
    from trainer.__main__ import main as train

    probe = Probe(Path(request["out"]), last=request["steps"], counts=request["counts"])
    _put_in(probe, request["batches"])
    return train(["train", request["runDir"]])


def _put_in(probe: Probe, batches: list[list[str]]) -> None:
    from trainer.model.clip_text import ClipText
    from trainer.model.unet import Unet
    from trainer.run.pace import Pace
    from trainer.step import batch_maker
    from trainer.step.noise import Noise
    from trainer.step.optimizer import Optimizer

    for owner, name in ((Unet, "forward"), (ClipText, "forward"), (Optimizer, "backward"), (Optimizer, "step")):
        setattr(owner, name, probe.timed(getattr(owner, name)))

    def noised(_settings: Any, place: tuple[int, ...], clean: Any) -> Noise:  # noqa: ANN401
        noise, timesteps = same_noise(place[0], clean)
        return Noise(noise, noise, timesteps)

    batch_maker.draw_noise = noised  # type: ignore[assignment]
    _replay(batch_maker.BatchMaker, batches)
    end = Pace.end

    def ended(self: Pace, result: Any) -> None:  # noqa: ANN401
        end(self, result)
        probe.step_ends(result.loss)

    Pace.end = ended  # type: ignore[method-assign]


def _replay(maker: Any, batches: list[list[str]]) -> None:  # noqa: ANN401
    def micro_batches(self: Any, step: int) -> list[list[Any]]:  # noqa: ANN401
        images = {name: image for image in self._plan.trained_images for name in [Path(image.id).stem]}
        return [[next(image for name, image in images.items() if name in caption) for caption in batches[step]]]

    make = maker._captions

    def captions(self: Any, place: tuple[int, ...], images: Any) -> list[str]:  # noqa: ANN401
        make(self, place, images)  # Their cost belongs to the step.
        return batches[place[0]]

    maker.micro_batches, maker._captions = micro_batches, captions


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
