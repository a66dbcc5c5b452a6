"""torch's AdamW over a few large tensors."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw


class FlatAdamW:
    """AdamW by torch's own function; its class would load torch's compiler first, which takes a second.

    params: groups of {"params", "lr"}. The state has the names and numbers that torch's class gives it.
    Raises ValueError or TypeError for options that torch's class refuses.
    """

    def __init__(  # noqa: PLR0913
        self,
        params: Sequence[dict[str, Any]],
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
    ) -> None:
        first, second = betas
        if not (0 <= first < 1 and 0 <= second < 1):
            raise ValueError(f"betas from 0 to below 1, found {first} and {second}")
        if not (eps >= 0 and weight_decay >= 0):
            raise ValueError(f"eps and weight_decay of at least 0, found {eps} and {weight_decay}")
        if foreach and fused:
            raise ValueError("foreach or fused, found both")
        options = {"betas": (float(first), float(second)), "eps": eps, "weight_decay": weight_decay}
        options |= {"amsgrad": bool(amsgrad), "foreach": foreach, "fused": fused}
        self.param_groups: list[dict[str, Any]] = [{**options, **group} for group in params]
        self.state: dict[Tensor, dict[str, Any]] = defaultdict(dict)

    @torch.no_grad()
    def step(self) -> None:
        """One update of every parameter that has a gradient."""
        for group in self.param_groups:
            learning = [parameter for parameter in group["params"] if parameter.grad is not None]
            states = [self._state(parameter, group) for parameter in learning]
            first, second = group["betas"]
            adamw(
                learning,
                [parameter.grad for parameter in learning],
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                [state["max_exp_avg_sq"] for state in states] if group["amsgrad"] else [],
                [state["step"] for state in states],
                amsgrad=group["amsgrad"],
                beta1=first,
                beta2=second,
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                maximize=False,
                foreach=group["foreach"],
                fused=group["fused"],
            )

    def _state(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = self.state[parameter]
        if not state:
            # Where the fused kernel wants it; the others read it on the CPU.
            device = parameter.device if group["fused"] else torch.device("cpu")
            state["step"] = torch.zeros((), device=device)
            names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")
            state.update((name, torch.zeros_like(parameter)) for name in names)
        return state
