"""The bytes of a kohya LoRA file and its hashes."""

import hashlib
import json
from dataclasses import dataclass

import torch
from safetensors.torch import save
from torch import Tensor

from trainer.network.lora_weights import LoraWeights

SAVE_DTYPES = {"float": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class LoraBytes:
    """A whole .safetensors file in two pieces, and the hash that WebUIs know it by."""

    header: bytes
    block: bytes
    sshs_model_hash: str

    @property
    def size(self) -> int:
        return len(self.header) + len(self.block)


def lora_tensors(weights: LoraWeights, precision: str) -> dict[str, Tensor]:
    """kohya's and LyCORIS' keys: `<module>.lora_down.weight` … and a 0-dimensional `.alpha`, in the save precision."""
    dtype = SAVE_DTYPES[precision]
    tensors: dict[str, Tensor] = {}
    for name, module in weights.modules.items():
        for end, tensor in module.tensors().items():
            tensors[f"{name}.{end}"] = tensor.detach().to("cpu", dtype).contiguous()
        tensors[f"{name}.alpha"] = torch.tensor(module.alpha, dtype=dtype)
    return tensors


def lora_bytes(tensors: dict[str, Tensor], metadata: dict[str, str]) -> LoraBytes:
    """Serialise tensors with metadata, adding kohya's `sshs_model_hash` and `sshs_legacy_hash`.

    Both are taken over a serialisation whose metadata holds the ss_ keys alone: the first is the sha256 of the tensor
    block, the second the first 8 digits of the sha256 of 64 KiB from offset 1 MiB.
    """
    training = {key: value for key, value in metadata.items() if key.startswith("ss_")}
    hashed = save(tensors, training)
    start = 8 + int.from_bytes(hashed[:8], "little")
    block = hashed[start:]
    model_hash = hashlib.sha256(block).hexdigest()
    legacy_hash = hashlib.sha256(hashed[0x100000:0x110000]).hexdigest()[:8]
    header = json.loads(hashed[8:start])
    header["__metadata__"] = {**metadata, "sshs_model_hash": model_hash, "sshs_legacy_hash": legacy_hash}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    return LoraBytes(len(text).to_bytes(8, "little") + text, block, model_hash)
