"""Draws one cell by the WebUI's own txt2img."""

from __future__ import annotations

import contextlib
import inspect
from dataclasses import dataclass
from typing import Any

from .checkpoints import find_checkpoint, holds_model, is_in_use
from .failure import Failure
from .flavour import on_main_thread
from .lora_tag import lora_tag, with_tag
from .script_defaults import default_script_args


@dataclass(frozen=True)
class DrawnCell:
    """A picture and the infotext that draws it again."""

    image: Any
    infotext: str


def cell_prompt(settings: dict[str, Any], cell: dict[str, Any]) -> str:
    """
    The cell's prompt with its LoRA's tag; epoch 0 has none. Raises Failure `bad_request` for a prompt that isn't
    there.
    """
    prompts = settings["prompts"]
    if cell["prompt"] >= len(prompts):
        raise Failure("bad_request", f"A cell asks for prompt {cell['prompt'] + 1}, but there are {len(prompts)}.")
    prompt = prompts[cell["prompt"]]
    return prompt if cell["lora"] is None else with_tag(prompt, lora_tag(cell["lora"], cell["weight"]))


def draw_cell(settings: dict[str, Any], sampler: tuple[str, str | None], cell: dict[str, Any]) -> DrawnCell | None:
    """
    The picture of RenderCell `cell` with RenderSettings `settings`; None when the user interrupted it, because a half
    drawn picture is none. NaN is a black picture: that a LoRA breaks is what the grid is to show. Needs the queue;
    slow.
    """
    from modules import shared

    drawn = on_main_thread(lambda: _process(settings, sampler, cell))
    state = shared.state
    if state.interrupted or state.skipped or (drawn is None and getattr(state, "stopping_generation", False)):
        return None
    if drawn is None:
        raise Failure(
            "webui_failed", "The WebUI drew a cell but gave no picture. One of its scripts may have taken it away."
        )
    return drawn


def check_cells(settings: dict[str, Any], cells: list[dict[str, Any]]) -> None:
    """Raises Failure `bad_request` for what would fail in the middle: a prompt or a checkpoint that isn't there."""
    for cell in cells:
        cell_prompt(settings, cell)
    _override_settings(settings)


def _process(settings: dict[str, Any], sampler: tuple[str, str | None], cell: dict[str, Any]) -> DrawnCell | None:
    from modules import processing

    with contextlib.closing(_processing(settings, sampler, cell)) as p:
        try:
            processed = processing.process_images(p)
        except Exception as thrown:
            if type(thrown).__name__ == "NansException":
                return DrawnCell(_black(settings), _infotext(p))
            if isinstance(thrown, AssertionError) and "setting" in str(thrown):
                raise _frozen(thrown) from thrown
            if not holds_model():
                raise _not_loaded(settings["checkpoint"], thrown) from thrown
            raise
    first = processed.index_of_first_image
    if len(processed.images) <= first:
        return None
    return DrawnCell(processed.images[first], processed.infotexts[first])


def _processing(settings: dict[str, Any], sampler: tuple[str, str | None], cell: dict[str, Any]) -> Any:
    from modules import processing, scripts, shared

    schedule = {"scheduler": sampler[1]} if sampler[1] is not None else {}
    chosen = {"seed": cell["seed"], "steps": settings["steps"], "sampler_name": sampler[0], **schedule}
    options = shared.opts
    arguments = {
        "sd_model": shared.sd_model,
        "outpath_samples": options.outdir_samples or options.outdir_txt2img_samples,
        "outpath_grids": options.outdir_grids or options.outdir_txt2img_grids,
        "prompt": cell_prompt(settings, cell),
        "negative_prompt": settings["negativePrompt"],
        "cfg_scale": settings["cfgScale"],
        "width": settings["width"],
        "height": settings["height"],
        "batch_size": 1,
        "n_iter": 1,
        "do_not_save_samples": True,
        "do_not_save_grid": True,
        "override_settings": _override_settings(settings),
        **chosen,
    }
    known = inspect.signature(processing.StableDiffusionProcessingTxt2Img).parameters
    p = processing.StableDiffusionProcessingTxt2Img(
        **{name: value for name, value in arguments.items() if name in known}
    )
    # The WebUI's own controls of seed, sampler and steps are scripts that would set their start values over ours.
    p.is_api = True
    script_args = default_script_args(scripts.scripts_txt2img)
    if script_args:
        p.scripts = scripts.scripts_txt2img
        p.script_args = script_args
    for name, value in chosen.items():
        setattr(p, name, value)
    return p


def _override_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """
    Told even where they are the user's own, because a script may set what isn't told; but frozen settings can't be set
    at all, so there only what differs is told.
    """
    from modules import shared

    wanted: dict[str, Any] = {"CLIP_stop_at_last_layers": settings["clipSkip"]}
    if settings["checkpoint"] is not None:
        wanted["sd_model_checkpoint"] = find_checkpoint(settings["checkpoint"]).title
    freezing = ("freeze_settings", "freeze_settings_in_sections", "freeze_specific_settings")
    if any(getattr(shared.cmd_opts, flag, None) for flag in freezing):
        if settings["checkpoint"] is not None and is_in_use(settings["checkpoint"]):
            del wanted["sd_model_checkpoint"]
        return {name: value for name, value in wanted.items() if getattr(shared.opts, name, None) != value}
    return wanted


def _not_loaded(wanted: str | None, thrown: Exception) -> Failure:
    from modules import shared

    checkpoint = wanted or getattr(shared.opts, "sd_model_checkpoint", None) or "its checkpoint"
    return Failure(
        "webui_failed",
        f"The WebUI could not load {checkpoint}, so it has no model to draw with. Choose another checkpoint at the top "
        "of the WebUI and draw again; its console says more.",
        f"{type(thrown).__name__}: {thrown}".rstrip(": "),
    )


def _frozen(thrown: AssertionError) -> Failure:
    return Failure(
        "webui_failed",
        f"The WebUI's settings are frozen ({thrown}), so clip skip and checkpoint can't be switched for the drawing. "
        "Draw with the ones that are set, or start the WebUI without --freeze-settings.",
    )


def _black(settings: dict[str, Any]) -> Any:
    from PIL import Image

    return Image.new("RGB", (settings["width"], settings["height"]))


def _infotext(p: Any) -> str:
    from modules import processing

    return str(processing.create_infotext(p, p.all_prompts, p.all_seeds, p.all_subseeds))
