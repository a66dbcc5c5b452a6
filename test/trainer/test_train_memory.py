"""Whole runs that save memory."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from run_folder import train, write_run
from trainer.network.read_lora import read_lora_metadata


def test_a_run_with_gradient_checkpointing_ends_with_the_same_lora(tmp_path: Path, tiny_checkpoint: Path) -> None:
    files = []
    for on in (False, True):
        run = write_run(tmp_path / str(on), tiny_checkpoint, epochs=1, images=6, gradientCheckpointing=on)
        train(run)
        files.append(run / "models" / "zorp.safetensors")
        assert read_lora_metadata(files[-1])["ss_gradient_checkpointing"] == str(on)
    first, second = map(load_file, files)
    assert first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)
