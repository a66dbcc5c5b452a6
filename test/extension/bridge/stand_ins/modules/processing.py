# ruff: noqa: ANN001, ANN201, ANN202, PTH118, PTH123
# The signatures are those of the WebUI.
"""Draws a picture whose colour follows from everything that it is drawn with."""

import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from PIL import Image

from modules import devices, paths, scripts, sd_models, sd_samplers, shared

trouble = SimpleNamespace(step_seconds=0.0, before_step=None)
"""`before_step(p, step)` is called before each step, for tests that want something to happen in the middle."""


@dataclass(repr=False)
class StableDiffusionProcessingTxt2Img:
    sd_model: Any = None
    outpath_samples: str = None
    outpath_grids: str = None
    prompt: str = ""
    negative_prompt: str = ""
    styles: list = None
    seed: int = -1
    steps: int = 50
    sampler_name: str = None
    scheduler: str = None
    batch_size: int = 1
    n_iter: int = 1
    cfg_scale: float = 7.0
    width: int = 512
    height: int = 512
    do_not_save_samples: bool = False
    do_not_save_grid: bool = False
    override_settings: dict = None
    enable_hr: bool = False
    hr_prompt: str = ""
    is_api: bool = field(default=False, init=False)
    all_prompts: list = field(default=None, init=False)
    all_seeds: list = field(default=None, init=False)
    all_subseeds: list = field(default=None, init=False)
    _scripts: Any = field(default=None, init=False)
    _script_args: Any = field(default=None, init=False)
    closed: bool = field(default=False, init=False)

    @property
    def scripts(self):
        return self._scripts

    @scripts.setter
    def scripts(self, value) -> None:
        self._scripts = value
        self._set_up()

    @property
    def script_args(self):
        return self._script_args

    @script_args.setter
    def script_args(self, value) -> None:
        self._script_args = value
        self._set_up()

    def _set_up(self) -> None:
        if self._scripts and self._script_args:
            self._scripts.setup_scrips(self, is_ui=not self.is_api)

    def close(self) -> None:
        self.closed = True


StableDiffusionProcessing = StableDiffusionProcessingTxt2Img


class Processed:
    def __init__(self, p, images_list, seed=-1, info="") -> None:
        self.images = images_list
        self.infotexts = [info]
        self.index_of_first_image = 0
        self.prompt, self.seed = p.prompt, seed
        self.width, self.height = p.width, p.height


def create_infotext(p, all_prompts, all_seeds, all_subseeds) -> str:
    model = sd_models.model_data.sd_model.sd_checkpoint_info
    skip = shared.opts.CLIP_stop_at_last_layers
    return (
        f"{all_prompts[0]}\nNegative prompt: {p.negative_prompt}\nSteps: {p.steps}, Sampler: {p.sampler_name}, "
        f"Schedule type: {p.scheduler}, CFG scale: {p.cfg_scale}, Seed: {all_seeds[0]}, Size: {p.width}x{p.height}, "
        f"Model: {model.name_for_extra}" + (f", Clip skip: {skip}" if skip > 1 else "")
    )


def process_images(p):
    assert shared.state.job, "drawn outside of a job"
    stored = {name: shared.opts.data[name] for name in p.override_settings}
    try:
        if sd_models.checkpoint_aliases.get(p.override_settings.get("sd_model_checkpoint")) is None:
            p.override_settings.pop("sd_model_checkpoint", None)
            sd_models.reload_model_weights()
        for name, value in p.override_settings.items():
            shared.opts.set(name, value, is_api=True, run_callbacks=False)
            if name == "sd_model_checkpoint":
                sd_models.reload_model_weights()
        return _process(p)
    finally:
        for name, value in stored.items():
            setattr(shared.opts, name, value)


def _process(p):
    if p.sampler_name not in {sampler.name for sampler in sd_samplers.all_samplers}:
        raise RuntimeError(f"no sampler {p.sampler_name}")
    p.all_prompts, p.all_seeds, p.all_subseeds = [p.prompt], [p.seed], [p.seed]
    if p.scripts is not None:
        p.scripts.process(p)
    if shared.state.interrupted or shared.state.stopping_generation:
        return Processed(p, [], p.seed, "")
    infotext = create_infotext(p, p.all_prompts, p.all_seeds, p.all_subseeds)
    with open(os.path.join(paths.data_path, "params.txt"), "w", encoding="utf8") as file:
        file.write(infotext)
    for step in range(p.steps):
        if trouble.before_step:
            trouble.before_step(p, step)
        time.sleep(trouble.step_seconds)
        if sd_models.model_data.sd_model.device != "gpu":
            raise RuntimeError("Expected all tensors to be on the same device")
        if shared.state.interrupted or shared.state.skipped:
            break
    shared.state.nextjob()
    return Processed(p, [_picture(p, infotext)], p.seed, infotext)


def _picture(p, infotext):
    drawn_with = json.dumps([infotext, p.prompt, p.negative_prompt, shared.opts.data["CLIP_stop_at_last_layers"]])
    colour = tuple(hashlib.sha256(drawn_with.encode()).digest()[:3])
    return Image.new("RGB", (p.width, p.height), colour)


__all__ = ["Processed", "StableDiffusionProcessingTxt2Img", "devices", "process_images", "scripts"]
