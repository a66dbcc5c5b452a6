"""One forward and backward pass through a tiny model with a network of some kind."""

import torch
from torch import Tensor

from trainer.model.base_model import BaseModel
from trainer.model.predict import predict, whole_size
from trainer.model.text import encode_prompts
from trainer.network.dropout import Dropout
from trainer.network.module_spec import ModuleSpec
from trainer.network.network import LoraNetwork
from trainer.network.targets import lora_targets

NETWORKS = ("lora", "locon", "dora", "loha", "lokr")


def make_network(base: BaseModel, kind: str = "lora", hands: int = 1, dropout: Dropout | None = None) -> LoraNetwork:
    """A network that changes something, over all layers that its kind can have."""
    targets = lora_targets(base.unet, base.text_encoders, convolutions=kind != "lora")
    spec = ModuleSpec("lora" if kind == "locon" else kind, 2, 1)
    network = LoraNetwork(
        targets,
        specs=dict.fromkeys(targets, spec),
        dropout=dropout or Dropout(),
        seed=1,
        device=base.device,
        dtype=base.dtype,
        hands=hands,
    )
    with torch.no_grad():
        for flat in network.flat:
            flat.add_(torch.randn(flat.shape, generator=torch.Generator().manual_seed(2)), alpha=0.02)
    network.refresh()
    return network


def loss_of(base: BaseModel, batch: int = 2, seed: int = 3) -> Tensor:
    """The loss of `batch` random pictures, with its graph."""
    source = torch.Generator().manual_seed(seed)
    conditioning = encode_prompts(base, ["a red cat"] * batch, clip_skip=1, max_token_length=75)
    noisy, target = (torch.randn(batch, 4, 16, 16, generator=source) for _ in range(2))
    predicted = predict(base, noisy, torch.full((batch,), 300), conditioning, [whole_size(128, 128)] * batch)
    return (predicted - target).square().mean()


def gradients_of(network: LoraNetwork) -> list[Tensor]:
    """Those in the flat buffers, which are empty afterwards."""
    found = []
    for flat in network.flat:
        assert flat.grad is not None
        found.append(flat.grad.clone())
        flat.grad.zero_()
    return found
