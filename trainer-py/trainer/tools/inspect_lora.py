"""What a LoRA's tensors say: how much each layer is changed, and in how many directions."""

from collections import defaultdict
from typing import Any

from trainer.network.module_blocks import block_group
from trainer.tools.lora_on_disk import read_whole
from trainer.tools.requests import Inspect
from trainer.tools.spectrum import dims_for, effective_rank, spectrum_of, stable_rank


def inspect(request: Inspect) -> dict[str, Any]:
    """Per module norm, effective and stable rank and the dims that hold 90 and 99 % of the energy; norms by block.

    A DoRA's numbers are those of its low-rank part, before the columns get their lengths.
    """
    file = read_whole(request.path)
    rows: list[dict[str, Any]] = []
    energy: dict[str, float] = defaultdict(float)
    for name, module in file.weights.modules.items():
        values = spectrum_of(name, module).values
        norm = float(values.square().sum().sqrt())
        energy[block_group(name)] += norm**2
        dim90, dim99 = dims_for(values, (0.9, 0.99))
        rows.append(
            {
                "name": name,
                "kind": module.kind,
                "dim": module.rank,
                "alpha": module.alpha,
                "norm": norm,
                "effective_rank": effective_rank(values),
                "stable_rank": stable_rank(values),
                "dim90": dim90,
                "dim99": dim99,
            }
        )
    return {
        "file": str(request.path),
        "precision": file.precision,
        "kinds": sorted({row["kind"] for row in rows}),
        "modules": rows,
        "norms": {group: value**0.5 for group, value in sorted(energy.items())},
        "dim90": max(row["dim90"] for row in rows),
        "dim99": max(row["dim99"] for row in rows),
    }
