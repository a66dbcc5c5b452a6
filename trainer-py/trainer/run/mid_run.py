"""What can be asked for in the middle of a run: the LoRA as it is, and pictures by it."""

import dataclasses

from PIL import Image

from trainer import atomic_file
from trainer.events import emit_stage
from trainer.grid.grid_cells import drawn_weights
from trainer.grid.infotext import LoraTag, ModelTag, infotext, png_bytes
from trainer.grid.lora_batch import LoraBatch
from trainer.grid.sample import CellRequest, Drawing, draw_cells
from trainer.network.targets import lora_targets
from trainer.run.keep_lora import keep_lora
from trainer.run.session import Session


def save_now(session: Session) -> None:
    """Save the LoRA of the present step as `<name>-step00001234.safetensors` and say so."""
    plan, run, step = session.plan, session.run, session.progress.step
    if not step:
        session.warn("Nothing has been trained yet, so there is nothing to save.")
        return
    _tell_saving(0)
    with session.optimizer.best_weights():
        saved = keep_lora(
            session,
            f"{run.output_name}-step{step:08d}.safetensors",
            epoch=_epoch(session),
            step=step,
            description=f"Step {step} of {plan.total_steps}, trained by Train LoRA on {plan.base_model.name}.",
            notes=f"{plan.dataset.name}, {len(plan.trained_images)} pictures.",
        )
    session.journal.say({"type": "savedNow", "step": step, **dataclasses.asdict(saved)})
    _tell_saving(1)


def sample_now(session: Session) -> None:
    """Draw the grid's prompts, with its first seed, by the LoRA of the present step into `samples/`, and say so."""
    plan, step = session.plan, session.progress.step
    settings, grid = plan.settings, plan.settings.grid
    if not grid.enabled or not grid.prompts:
        session.warn("The grid is off in this run, so its model can't draw; plan with the grid on to draw samples.")
        return
    weight = 1.0 if 1.0 in grid.weights else (drawn_weights(grid) or [1.0])[-1]
    drawing = Drawing(
        width=settings.resolution.width,
        height=settings.resolution.height,
        negative_prompt=grid.negative_prompt,
        sampler=grid.sampler,
        steps=grid.steps,
        cfg_scale=grid.cfg_scale,
        clip_skip=settings.clip_skip,
    )
    cells = [CellRequest(0, weight, prompt, grid.seeds[0]) for prompt in grid.prompts]
    targets = lora_targets(session.base.unet, session.base.text_encoders, convolutions=True)
    session.stage("drawingSamples", 0, len(cells))
    with (
        session.optimizer.best_weights(),
        session.network.disabled(),
        LoraBatch(targets, [session.network.weights()]) as loras,
    ):
        for done, (index, picture) in enumerate(draw_cells(session.base, loras, cells, drawing), start=1):
            tag = LoraTag(f"{session.run.output_name}-step{step:08d}", weight, "")
            model = ModelTag(session.base.name, session.base_hash.new)
            text = infotext(cells[index].prompt, [tag], model, drawing, grid.seeds[0])
            file = f"samples/step-{step:08d}-{index}.png"
            atomic_file.replace(session.run_dir / file, [png_bytes(Image.fromarray(picture), text)])
            session.journal.say({"type": "sample", "step": step, "prompt": index, "file": file})
            session.stage("drawingSamples", done, len(cells))


def _tell_saving(done: int) -> None:
    # Without a look at the commands: a stop that asked for this save waits already.
    emit_stage("saving", done, 1)


def _epoch(session: Session) -> int:
    return (session.progress.step - 1) // session.plan.steps_per_epoch + 1
