"""Which kind of network, of what size, each layer gets."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from trainer.network.lora_weights import LokrModule, LoraModule, LoraWeights, NetworkModule
from trainer.network.module_blocks import BlockValues
from trainer.settings import Settings


@dataclass(frozen=True)
class ModuleSpec:
    """kind: lora, dora, loha or lokr. alpha / dim scales the change.

    factor and decompose_both are LoKr's: into how many parts the sides are split (-1: as square as possible), and
    whether the smaller factor is a product as well.
    """

    kind: str
    dim: int
    alpha: float
    factor: int = -1
    decompose_both: bool = False


def module_specs(targets: Mapping[str, nn.Module], settings: Settings) -> dict[str, ModuleSpec]:
    """The settings' network over `targets` (kohya name → layer); layers that get none are left out.

    Linear layers and 1×1 convolutions have networkDim and networkAlpha, or those of their block; convolutions with a
    kernel have convDim and convAlpha in every block, as in kohya. A dim of 0 leaves a layer alone.
    """
    dims = BlockValues.parse(settings.block_dims, settings.network_dim)
    alphas = BlockValues.parse(settings.block_alphas, settings.network_alpha)
    kind = "lora" if settings.network_type == "locon" else settings.network_type
    specs: dict[str, ModuleSpec] = {}
    for name, module in targets.items():
        if has_kernel(module):
            dim, alpha = settings.conv_dim, settings.conv_alpha
        else:
            dim, alpha = int(dims.of(name)), alphas.of(name)
        if dim > 0:
            specs[name] = ModuleSpec(kind, dim, alpha, settings.lokr_factor, settings.decompose_both)
    return specs


def specs_of(weights: LoraWeights) -> dict[str, ModuleSpec]:
    """What a file's modules are, so that training goes on with exactly their shapes."""
    return {name: _spec_of(module) for name, module in weights.modules.items()}


def has_kernel(module: nn.Module) -> bool:
    """Whether the layer is a convolution larger than 1×1."""
    return isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1)


def _spec_of(module: NetworkModule) -> ModuleSpec:
    if isinstance(module, LoraModule):
        return ModuleSpec("lora" if module.dora_scale is None else "dora", module.rank, module.alpha)
    if isinstance(module, LokrModule):
        first = module.w1 if module.w1 is not None else module.w1_a
        assert first is not None
        return ModuleSpec("lokr", module.rank, module.alpha, decompose_both=module.w1 is None)
    return ModuleSpec("loha", module.rank, module.alpha)
