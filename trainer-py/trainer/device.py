"""Which device trains, and in which number format."""

import os
import platform

import torch

from trainer.failure import Failure

DTYPES = {"no": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def pick_device() -> torch.device:
    """The first CUDA device, else Apple's MPS, else the CPU. TRAIN_LORA_DEVICE names another one.

    Of several processes on a machine (LOCAL_RANK) each takes a CUDA device of its own. Raises Failure `bad_request`
    when there are too few.
    """
    if wanted := os.environ.get("TRAIN_LORA_DEVICE"):
        return torch.device(wanted)
    if torch.cuda.is_available():
        return torch.device("cuda" if "LOCAL_RANK" not in os.environ else f"cuda:{_own_gpu()}")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def device_facts() -> dict[str, object]:
    """What `python -m trainer device` prints: kind, name, bf16 (whether it pays there), torch."""
    device = pick_device()
    return {"kind": device.type, "name": device_name(device), "bf16": _bf16_pays(device), "torch": torch.__version__}


def _own_gpu() -> int:
    own, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if own < there:
        return own
    raise Failure(
        "bad_request",
        f"Expected a GPU for each process of the run on this machine, but there are {there}; choose a numProcesses of "
        f"{there} and plan the run again.",
    )


def device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine() or device.type


def _bf16_pays(device: torch.device) -> bool:
    # On a CPU bf16 is faster for large models only, and there exact repetition is worth more than speed.
    return device.type == "cuda" and torch.cuda.is_bf16_supported()
