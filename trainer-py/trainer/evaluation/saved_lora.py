"""A LoRA that is measured: the network in training, or a file that was trained elsewhere."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from trainer.network.lora_weights import LoraWeights


class MeasuredLora(Protocol):
    """What a measurement asks of a LoRA."""

    def weights(self) -> LoraWeights: ...

    def disabled(self) -> AbstractContextManager[None]:
        """The base model alone."""


class SavedLora:
    """The LoRA of a file; it is not hooked into the base model, so that there is nothing to take out of it."""

    def __init__(self) -> None:
        self.lora = LoraWeights({})

    def weights(self) -> LoraWeights:
        return self.lora

    @contextmanager
    def disabled(self) -> Iterator[None]:
        yield
