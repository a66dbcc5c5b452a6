"""In which order a network's tensors lie in memory."""

from collections.abc import Iterator, Mapping

from torch import nn

from trainer.joined_linear import JoinedLinear
from trainer.network_layout import Layout

Places = Mapping[str, tuple[nn.Linear | nn.Conv2d, Layout]]


def joined_names(places: Places) -> dict[JoinedLinear, list[str]]:
    """The joined layers of which each one has a LoRA, and the names of these in the layers' order."""
    names = {id(module): name for name, (module, layout) in places.items() if layout.kind == "lora"}
    found: dict[JoinedLinear, list[str]] = {}
    for module, _ in places.values():
        joined = getattr(module, "joined", None)
        if joined is None or joined in found or joined.weight is None:
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
