"""In which order a network's tensors lie in memory."""

from collections.abc import Iterator, Mapping

from torch import nn

from trainer.model.joined_linear import JoinedLinear
from trainer.network.lora_weights import LoraWeights
from trainer.network.module_spec import ModuleSpec
from trainer.network.network_layout import Layout, layout_for, layout_of

Target = nn.Linear | nn.Conv2d
Places = Mapping[str, tuple[Target, Layout]]


def place_targets(
    targets: Mapping[str, nn.Module], specs: Mapping[str, ModuleSpec], start: LoraWeights | None
) -> dict[str, tuple[Target, Layout]]:
    """Each layer that is trained, with its tensors: those of `start`, else what `specs` says."""
    modules = {name: _target(module) for name, module in targets.items()}
    if start is not None:
        return {
            name: (modules[name], layout_of(name, module, modules[name].weight))
            for name, module in start.modules.items()
            if name in modules
        }
    return {name: (module, layout_for(specs[name], module.weight)) for name, module in modules.items() if name in specs}


def joined_names(places: Places) -> dict[JoinedLinear, list[str]]:
    """The joined layers of which each one has a LoRA, and the names of these in the layers' order."""
    names = {id(module): name for name, (module, layout) in places.items() if layout.kind == "lora"}
    found: dict[JoinedLinear, list[str]] = {}
    for module, _ in places.values():
        joined = getattr(module, "joined", None)
        if joined is None or joined in found or not joined.is_placed:
            continue
        if all(id(layer) in names for layer in joined.layers):
            found[joined] = [names[id(layer)] for layer in joined.layers]
    return found


def placing_order(places: Places) -> Iterator[tuple[str, int]]:
    """Name and index of each tensor; halves of one kind of joined layers lie behind each other."""
    together = {name: names for names in joined_names(places).values() for name in names}
    for name, (_, layout) in places.items():
        names = together.get(name, [name])
        if name == names[0]:
            yield from ((each, index) for index in range(len(layout.parts)) for each in names)


def _target(module: nn.Module) -> Target:
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        return module
    raise TypeError("LoRA targets are Linear layers or convolutions")
