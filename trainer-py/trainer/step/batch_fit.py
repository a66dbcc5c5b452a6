"""How many pictures of a batch go through the model at once: all, until memory says otherwise."""

import torch

from trainer.events import emit
from trainer.step.step_batch import Batch


class BatchFit:
    """Halves the pictures at once each time that memory runs out; a step then adds up the gradients of its parts."""

    def __init__(self, batch_size: int) -> None:
        self.most = batch_size

    def parts(self, batch: Batch, hands: int) -> list[Batch]:
        """The batch in as many parts as it takes, at least one for each hand."""
        return batch.parts(max(hands, -(-len(batch) // self.most)))

    def shrink(self) -> bool:
        """Take half as many from now on and say so; False when one picture is too much already."""
        if self.most == 1:
            return False
        self.most = -(-self.most // 2)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        emit(
            {
                "type": "warning",
                "message": "The batch does not fit into the GPU's memory; from now on a step takes its pictures "
                f"{self.most} at a time, which gives the same steps but takes longer.",
            }
        )
        return True
