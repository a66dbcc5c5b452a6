"""The network that a plan asks for, over a loaded base model."""

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from trainer.events import emit
from trainer.failure import Failure
from trainer.model.base_model import BaseModel
from trainer.network.dropout import Dropout
from trainer.network.lora_names import named_for
from trainer.network.lora_weights import LoraWeights
from trainer.network.module_spec import module_specs
from trainer.network.network import GROUPS, PLUS, LoraNetwork
from trainer.network.read_lora import read_lora
from trainer.network.targets import lora_targets
from trainer.plan import Plan
from trainer.settings import Settings


def plan_targets(plan: Plan, base: BaseModel) -> dict[str, nn.Module]:
    """kohya module name → layer, of all layers that the plan's network may change."""
    convolutions = plan.settings.conv_dim > 0 or plan.settings.network_weights != ""
    return lora_targets(base.unet, base.text_encoders, convolutions=convolutions)


def read_start(settings: Settings) -> LoraWeights | None:
    """What networkWeights names, to be asked for before hours are spent. Raises Failure `lora_corrupt`."""
    return read_lora(Path(settings.network_weights)) if settings.network_weights else None


def plan_network(
    plan: Plan, base: BaseModel, targets: Mapping[str, nn.Module], *, hands: int, start: LoraWeights | None = None
) -> LoraNetwork:
    """The plan's network, hooked into `targets`; with a `start` it is what that file holds.

    Raises Failure `lora_corrupt` for a file that does not fit, `bad_plan` for settings that leave nothing to train.
    """
    settings = plan.settings
    start = None if start is None else _fitting(start, Path(settings.network_weights).name, targets)
    trained = {group for group, rate in learning_rates(settings).items() if rate > 0}
    prefixes = tuple(prefix for prefix, group in GROUPS.items() if group in trained)
    specs = module_specs({name: module for name, module in targets.items() if name.startswith(prefixes)}, settings)
    if start is None and not specs:
        raise Failure("bad_plan", "Expected layers to train, but blockDims leaves none; give some block a dim above 0.")
    return LoraNetwork(
        targets,
        specs=specs,
        start=start,
        plus=settings.lora_plus_ratio != 1,
        dropout=Dropout(settings.network_dropout, settings.rank_dropout, settings.module_dropout),
        seed=settings.seed,
        device=base.device,
        dtype=base.dtype,
        hands=hands,
    )


def learning_rates(settings: Settings) -> dict[str, float]:
    """The base rate of each group, LoRA+'s up halves included."""
    rates = {
        "unet": settings.unet_lr,
        "text_encoder": settings.text_encoder_lr,
        "text_encoder_2": settings.text_encoder2_lr,
    }
    return {**rates, **{group + PLUS: rate * settings.lora_plus_ratio for group, rate in rates.items()}}


def _fitting(start: LoraWeights, file: str, targets: Mapping[str, nn.Module]) -> LoraWeights:
    found = named_for(start, targets)
    strangers = [name for name in found.modules if name not in targets]
    if len(strangers) == len(found.modules):
        raise Failure(
            "lora_corrupt",
            f"Expected a LoRA for this base model in networkWeights, but {file} has none of its layers "
            f"({strangers[0]} …); choose the base model that it was trained on.",
        )
    if strangers:
        lacking = f"{len(strangers)} layers that this base model lacks ({strangers[0]} …)"
        emit({"type": "warning", "message": f"{file} has {lacking}; they are left out."})
    return found
