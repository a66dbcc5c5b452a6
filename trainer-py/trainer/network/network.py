"""The network in training: float32 masters in one flat buffer per learning rate, hooked into the base model."""

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from trainer.model.activation import Activation
from trainer.model.joined_linear import JoinedLinear
from trainer.model.packed_layers import matrix_of
from trainer.model.recompute import carry
from trainer.network.dropout import Dropout, Rows
from trainer.network.flat_parameters import FlatParameters
from trainer.network.fused_lora import Drop, FusedConvLora, FusedLora, LinearLora
from trainer.network.fused_weight import FusedWeight
from trainer.network.joined_lora import join_loras
from trainer.network.lora_weights import LoraWeights
from trainer.network.max_norm import limit_norms
from trainer.network.module_spec import ModuleSpec, has_kernel
from trainer.network.network_layout import Layout, module_of
from trainer.network.network_order import joined_names, place_targets, placing_order
from trainer.randomness import generator

Target = nn.Linear | nn.Conv2d

GROUPS = {
    "lora_unet_": "unet",
    "lora_te_": "text_encoder",
    "lora_te1_": "text_encoder",
    "lora_te2_": "text_encoder_2",
}
"""Learning-rate groups by the beginning of kohya's module names."""
PLUS = "_plus"
"""The end of the name of a group that holds the up halves alone, which LoRA+ trains faster."""
_NO_DROPOUT = Dropout()


@dataclass(frozen=True)
class _Layer:
    """One target; by_hand: the leaves per hand, in the layout's order, and low their low-precision views.

    linear: what a LoRA over a linear layer or a 1×1 convolution needs, None for other layers and kinds.
    """

    module: Target
    shape: torch.Size
    layout: Layout
    by_hand: list[list[Tensor]]
    low: list[Tensor]
    linear: LinearLora | None


class LoraNetwork:
    """Wraps `targets` for training; at first it changes nothing, or what `start` says.

    targets: kohya module name → Linear or Conv2d. Each gets what `specs` says and is left alone without a spec; without
    specs it gets a LoRA of `dim` and `alpha` (alpha / dim scales the change, as in kohya). start: a file's network to
    go on from, whose modules take the place of the specs. plus: the up halves get groups of their own, named `…_plus`.
    hands: threads that may run forward and backward at the same time, each after `take_hand`.
    Raises Failure `lora_corrupt` when `start` does not fit.
    """

    def __init__(  # noqa: PLR0913
        self,
        targets: Mapping[str, nn.Module],
        *,
        dim: int = 4,
        alpha: float = 4.0,
        specs: Mapping[str, ModuleSpec] | None = None,
        start: LoraWeights | None = None,
        plus: bool = False,
        dropout: Dropout = _NO_DROPOUT,
        seed: int,
        device: torch.device,
        dtype: torch.dtype,
        hands: int = 1,
    ) -> None:
        self.enabled = True
        self.hands = hands
        self._thread = threading.local()
        carry(self._thread)
        self._seed, self._dropout, self._moment = seed, dropout, (0, 0)
        if specs is None:
            specs = dict.fromkeys(targets, ModuleSpec("lora", dim, alpha))
        places = place_targets(targets, specs, start)
        self.groups = _groups(places, plus, device=device, dtype=dtype, hands=hands)
        self._layers = self._place(places, plus)
        self._fill(start)
        for name, layer in self._layers.items():
            forward = partial(self._forward, name, layer, layer.module.forward)
            layer.module.forward = forward  # type: ignore[method-assign]
            layer.module.__dict__["after"] = partial(self._after, layer)
        for joined, names in joined_names(places).items():
            self._join(joined, [self._layers[name] for name in names])

    @property
    def flat(self) -> list[Tensor]:
        return [group.value for group in self.groups.values()]

    def weights(self) -> LoraWeights:
        """The present network as live views in float32, no copy, in the shapes of kohya's and LyCORIS' files."""
        return LoraWeights(
            {
                name: module_of(
                    layer.layout,
                    {part.role: leaf.detach() for part, leaf in zip(layer.layout.parts, layer.by_hand[0], strict=True)},
                    len(layer.shape),
                )
                for name, layer in self._layers.items()
            }
        )

    def take_hand(self, hand: int) -> None:
        """From now on this thread's gradients go to hand `hand` (0 … hands − 1); a thread that takes none is hand 0."""
        self._thread.hand = hand

    def take_rows(self, rows: Rows) -> None:
        """Which pictures of a batch this thread sees from now on, as dropout must know."""
        self._thread.rows = rows

    def begin(self, step: int, part: int = 0) -> None:
        """What is dropped from now on depends on `step` and on the `part` of its accumulated batch."""
        self._moment = (step, part)

    def gather(self) -> None:
        """Bring the gradients of all hands together in the flat ones."""
        for group in self.groups.values():
            group.gather()

    def refresh(self) -> None:
        """To be called after each change of the masters."""
        for group in self.groups.values():
            group.refresh()

    def limit_norms(self, max_norm: float) -> int:
        """kohya's max-norm over all modules; how many were scaled down."""
        shapes = {name: layer.shape for name, layer in self._layers.items()}
        scaled = limit_norms(self.weights().modules, shapes, max_norm)
        if scaled:
            self.refresh()
        return scaled

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """The base model alone."""
        before, self.enabled = self.enabled, False
        try:
            yield
        finally:
            self.enabled = before

    def detach(self) -> None:
        """Take the network out of the base model, whose layers are then as they were before."""
        for layer in self._layers.values():
            # What is set on a layer hides its class's own forward.
            for hook in ("forward", "after"):
                layer.module.__dict__.pop(hook, None)
            joined = layer.module.__dict__.get("joined")
            if joined is not None:
                joined.hook = None

    def _place(self, places: Mapping[str, tuple[Target, Layout]], plus: bool) -> dict[str, _Layer]:
        placed: dict[str, list[tuple[list[Tensor], Tensor]]] = {name: [] for name in places}
        for name, index in placing_order(places):
            part = places[name][1].parts[index]
            placed[name].append(self.groups[_group(name, part.role, plus)].place(part.shape))
        return {name: self._layer(*place, placed[name]) for name, place in places.items()}

    def _layer(self, module: Target, layout: Layout, placed: list[tuple[list[Tensor], Tensor]]) -> _Layer:
        by_hand = [[leaves[hand] for leaves, _ in placed] for hand in range(self.hands)]
        low = [low for _, low in placed]
        linear = None
        if layout.kind == "lora" and not has_kernel(module):
            down, up = low
            linear = LinearLora(matrix_of(module), module.bias, down, up, layout.scale)
        return _Layer(module, module.weight.shape, layout, by_hand, low, linear)

    def _join(self, joined: JoinedLinear, layers: list[_Layer]) -> None:
        linears = [layer.linear for layer in layers if layer.linear is not None]
        masters = [[parts[index] for index in (0, 1) for parts in layer.by_hand] for layer in layers]
        loras, anchor = join_loras(joined, linears, masters), masters[0][0]

        def hook(x: Tensor) -> Sequence[Tensor] | None:
            if not self.enabled or self._dropout.any:
                return None
            return loras(x, anchor, getattr(self._thread, "hand", 0))

        joined.hook = hook

    def _fill(self, start: LoraWeights | None) -> None:
        source = generator(self._seed, "network")
        with torch.no_grad():
            for name, layer in self._layers.items():
                known = start.modules[name].tensors() if start and name in start.modules else {}
                for part, leaf in zip(layer.layout.parts, layer.by_hand[0], strict=True):
                    if part.role in known:
                        leaf.copy_(known[part.role].reshape(part.shape))
                    else:
                        leaf.copy_(part.first_value(layer.module.weight, source))
        self.refresh()

    def _forward(self, name: str, layer: _Layer, original: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        place = (*self._moment, name)
        if not self.enabled or self._dropout.skips(self._seed, place):
            return original(x)
        module, layout, parts = layer.module, layer.layout, layer.by_hand[getattr(self._thread, "hand", 0)]
        if layout.kind != "lora":
            rows = self._dropout.rows(self._seed, place, layer.shape[0], x.device)
            roles = tuple(part.role for part in layout.parts)
            return FusedWeight.apply(x, module, roles, layout.scale, rows, *parts)
        drop = self._drop(place, x)
        if layer.linear is not None and isinstance(module, nn.Linear):
            return FusedLora.apply(x, *parts, layer.linear, drop)
        if has_kernel(module):
            return FusedConvLora.apply(x, module, *parts, *layer.low, layout.scale, drop)
        # A 1×1 convolution over channels-last memory is the same linear layer without a copy.
        rows = x.permute(0, 2, 3, 1)
        y = FusedLora.apply(rows, *parts, layer.linear, drop)
        return y.permute(0, 3, 1, 2)

    def _after(self, layer: _Layer, activation: Activation, x: Tensor) -> Tensor | None:
        if layer.linear is None or not self.enabled or self._dropout.any:
            return None
        return FusedLora.apply(x, *layer.by_hand[getattr(self._thread, "hand", 0)], layer.linear, None, activation)

    def _drop(self, place: tuple[int | str, ...], x: Tensor) -> Drop | None:
        if not (self._dropout.network or self._dropout.rank):
            return None
        rows: Rows = getattr(self._thread, "rows", (0, 1, 1))
        return lambda *shape: self._dropout.factors(self._seed, place, shape, x.detach(), rows)


def _groups(
    places: Mapping[str, tuple[Target, Layout]], plus: bool, *, device: torch.device, dtype: torch.dtype, hands: int
) -> dict[str, FlatParameters]:
    counts = dict.fromkeys([name + end for name in dict.fromkeys(GROUPS.values()) for end in ("", PLUS)], 0)
    for name, (_, layout) in places.items():
        for part in layout.parts:
            counts[_group(name, part.role, plus)] += math.prod(part.shape)
    return {
        group: FlatParameters(count, device=device, dtype=dtype, hands=hands)
        for group, count in counts.items()
        if count
    }


def _group(name: str, role: str, plus: bool) -> str:
    group = next(group for prefix, group in GROUPS.items() if name.startswith(prefix))
    return group + PLUS if plus and role == "lora_up.weight" else group
