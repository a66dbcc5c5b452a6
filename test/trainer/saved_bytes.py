"""What a forward pass keeps for the backward pass."""

from collections.abc import Callable

from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from trainer.model.base_model import BaseModel


def saved_bytes(base: BaseModel, forward: Callable[[], Tensor]) -> int:
    """Bytes of all storages that `forward` keeps, each once and whole, but for the model's own weights."""
    own = {
        tensor.untyped_storage().data_ptr()
        for module in (base.unet, *base.text_encoders)
        for tensor in (*module.parameters(), *module.buffers())
    }
    seen: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = tensor
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        forward()
    return sum(tensor.untyped_storage().nbytes() for tensor in seen.values())
