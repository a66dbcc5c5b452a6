"""Several LoRAs at several weights in one forward: each sample of a batch gets its own, none changes the base model."""

import threading
from collections.abc import Sequence
from types import TracebackType

from torch import nn

from trainer.grid.lora_layer import LoraLayer
from trainer.grid.lora_rows import Row, Rows
from trainer.network.lora_names import named_for
from trainer.network.lora_weights import LoraWeights


class LoraBatch:
    """Adds to each target's output what the rows' LoRAs change; exact, and the base weights stay as they are.

    targets: kohya module name → Linear or Conv2d. Used as a context manager around forwards without gradients; rows are
    set per thread. `unknown` lists per LoRA the modules that `targets` lacks, which therefore have no effect.
    Raises Failure `lora_corrupt` when a module has another shape than its target.
    """

    def __init__(self, targets: dict[str, nn.Module], loras: Sequence[LoraWeights]) -> None:
        loras = [named_for(lora, targets) for lora in loras]
        self.unknown = tuple(tuple(name for name in lora.modules if name not in targets) for lora in loras)
        self._local = threading.local()
        self._layers = [
            LoraLayer(name, module, [lora.modules.get(name) for lora in loras], self._local)
            for name, module in targets.items()
            if any(name in lora.modules for lora in loras)
        ]

    def __enter__(self) -> "LoraBatch":
        for layer in self._layers:
            layer.attach()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for layer in self._layers:
            layer.detach()
        self._local.rows = None

    def set_rows(self, rows: Sequence[Row], *, forwards: int = 1) -> None:
        """Whose LoRA the samples of this thread's next forwards get; no rows: the base model.

        A batch of k · len(rows) samples gives each row k neighbours, such as the two of guidance or a prompt's chunks.
        Rows of one LoRA should be neighbours: each stretch of one LoRA costs one matrix product. forwards: how many
        will follow with these rows; a context tensor that is given to all of them must stay unchanged.
        """
        if not rows:
            self._local.rows = None
            return
        own_weights = forwards > 1 and len(rows) * sum(layer.bytes for layer in self._layers) <= _OWN_WEIGHTS_BYTES
        self._local.rows = Rows(tuple(rows), own_weights)


_OWN_WEIGHTS_BYTES = 192 << 20
"""Up to this size rows get whole weights of their own: for a small model cheaper than low-rank products each time."""
