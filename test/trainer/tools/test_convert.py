from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from tool_files import SHAPES, TEXT, change_of, run_request, tool_file, tool_lora
from trainer.failure import Failure
from trainer.network.lora_weights import LohaModule, LoraWeights
from trainer.network.read_lora import read_lora


def test_conversion_to_pefts_keys_and_back_gives_the_same_change(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    old = tool_lora(1)
    source = tool_file(tmp_path / "a.safetensors", old)
    peft, back = tmp_path / "peft.safetensors", tmp_path / "back.safetensors"
    run_request(capfd, tmp_path, tool="convert", file=source, out=str(peft), style="peft")
    assert set(load_file(peft)) == {
        f"{path}.lora_{half}.weight"
        for half in "AB"
        for path in (
            "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
            "unet.down_blocks.0.attentions.0.proj_in",
            "unet.down_blocks.0.resnets.0.conv1",
            "text_encoder.text_model.encoder.layers.0.mlp.fc1",
        )
    }
    run_request(capfd, tmp_path, tool="convert", file=str(peft), out=str(back), style="kohya")
    new = read_lora(back)
    assert all((change_of(new, name) - change_of(old, name)).abs().max() < 1e-4 for name in SHAPES)
    with safe_open(back, framework="pt") as file:
        assert file.metadata()["ss_training_comment"].startswith("converted to kohya's keys; converted to diffusers'")


def test_a_kind_that_diffusers_cannot_spell_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loha = LohaModule(
        torch.randn(24, 2),
        torch.randn(2, 16),
        torch.randn(24, 2),
        torch.randn(2, 16),
        1.0,
    )
    source = tool_file(tmp_path / "a.safetensors", LoraWeights({TEXT: loha}))
    with pytest.raises(Failure, match="has a LoHa"):
        run_request(
            capfd,
            tmp_path,
            tool="convert",
            file=source,
            out=str(tmp_path / "b.safetensors"),
            style="peft",
        )
