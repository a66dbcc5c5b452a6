"""The recipe inside a saved LoRA, as kohya's tools and WebUIs read it."""

import json
from pathlib import Path
from typing import Any

from run_folder import write_run
from trainer.model.file_hash import FileHash
from trainer.plan import read_plan
from trainer.progress import Progress
from trainer.save.metadata import lora_metadata


def _metadata(tmp_path: Path, **settings: Any) -> dict[str, str]:  # noqa: ANN401
    plan = read_plan(write_run(tmp_path, tmp_path / "base.safetensors", **settings) / "plan.json")
    (tmp_path / "base.safetensors").write_bytes(b"x" * 0x120000)
    return lora_metadata(plan, Progress(plan.id, session_id=5), FileHash(tmp_path / "base.safetensors"), epoch=1)


def test_every_value_is_a_text_in_pythons_spelling(tmp_path: Path) -> None:
    metadata = _metadata(tmp_path)
    assert all(isinstance(value, str) for value in metadata.values())
    assert metadata["ss_v2"] == "False" and metadata["ss_network_dropout"] == "None"
    assert metadata["ss_network_alpha"] == "1.0" and metadata["ss_resolution"] == "(64, 64)"
    assert metadata["ss_steps"] == "6" and metadata["ss_max_train_steps"] == "12" and metadata["ss_epoch"] == "1"
    assert len(metadata["ss_new_sd_model_hash"]) == 64 and len(metadata["ss_sd_model_hash"]) == 8
    assert metadata["modelspec.architecture"] == "stable-diffusion-v1/lora"


def test_the_data_set_is_told_in_both_of_kohyas_forms_without_held_out_pictures(tmp_path: Path) -> None:
    metadata = _metadata(tmp_path)
    tags = json.loads(metadata["ss_tag_frequency"])
    assert tags["2_zorp"]["zorp"] == 6 and tags["2_zorp"]["big"] == 6 and "tag 0" not in tags["2_zorp"]
    assert json.loads(metadata["ss_dataset_dirs"]) == {"2_zorp": {"n_repeats": 2, "img_count": 6}}
    buckets = json.loads(metadata["ss_bucket_info"])["buckets"]
    assert buckets == {"0": {"resolution": [64, 64], "count": 8}, "1": {"resolution": [128, 64], "count": 4}}
    (dataset,) = json.loads(metadata["ss_datasets"])
    assert dataset["tag_frequency"] == tags and dataset["subsets"][0]["class_tokens"] == "zorp"
    assert str(tmp_path) not in json.dumps(metadata)


def test_the_way_of_learning_is_told_as_sd_scripts_tells_it(tmp_path: Path) -> None:
    metadata = _metadata(
        tmp_path,
        optimizer="Lion",
        optimizerArgs=["betas=0.9,0.95"],
        minSnrGamma=5,
        lrWarmupSteps=0.1,
        gradientAccumulationSteps=2,
        multiresNoiseIterations=6,
    )
    assert metadata["ss_optimizer"] == "lion_pytorch.lion_pytorch.Lion(weight_decay=0.01,betas=0.9,0.95)"
    assert metadata["ss_min_snr_gamma"] == "5.0" and metadata["ss_gradient_accumulation_steps"] == "2"
    assert metadata["ss_multires_noise_discount"] == "0.3" and metadata["ss_lr_warmup_steps"] == "0.1"
    plain = _metadata(tmp_path / "plain")
    assert plain["ss_min_snr_gamma"] == plain["ss_multires_noise_discount"] == plain["ss_noise_offset"] == "None"
    assert plain["ss_lr_warmup_steps"] == "0" and plain["ss_optimizer"].startswith("torch.optim.adamw.AdamW(")
