"""The LoRA of this moment as a file with its metadata and card."""

from pathlib import Path

from trainer.run.session import Session
from trainer.save.metadata import lora_metadata
from trainer.save.save import Saved, save_lora, write_card


def keep_lora(session: Session, file: str, *, epoch: int, step: int, description: str, notes: str) -> Saved:
    """Write `file` into the LoRA folder, as of `step` in `epoch`. Raises Failure `disk_full`."""
    plan, weights = session.plan, session.network.weights()
    folder = Path(session.run.lora_dir)
    metadata = lora_metadata(plan, session.progress, session.base_hash, epoch=epoch, weights=weights)
    saved = save_lora(
        weights,
        {**metadata, "ss_steps": str(step)},
        folder=folder,
        file=file,
        precision=plan.settings.save_precision,
    )
    write_card(folder / saved.file, description=description, trigger_word=plan.dataset.trigger_word, notes=notes)
    return saved
