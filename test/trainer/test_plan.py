"""plan.json is taken as it is, or refused with a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from run_folder import change_plan, write_run
from trainer.failure import Failure
from trainer.plan import read_plan, read_run


def _change_settings(folder: Path, **changes: Any) -> None:  # noqa: ANN401
    plan = json.loads((folder / "plan.json").read_text())
    change_plan(folder, settings={**plan["settings"], **changes})


def _refusal(folder: Path) -> Failure:
    with pytest.raises(Failure) as caught:
        read_run(folder / "run.json", read_plan(folder / "plan.json"))
    return caught.value


def test_a_plan_of_the_server_is_read_with_all_its_figures(tmp_path: Path) -> None:
    folder = write_run(tmp_path, Path("model.safetensors"))
    plan = read_plan(folder / "plan.json")
    assert plan.settings.network_alpha == 1.0 and plan.settings.grid.weights == (0.5, 1.0, 1.5)
    assert len(plan.trained_images) == 6 and len(plan.held_out_images) == 2
    assert read_run(folder / "run.json", plan).files == plan.files


def test_a_plan_of_another_version_is_named_as_such(tmp_path: Path) -> None:
    folder = write_run(tmp_path, Path("m"))
    change_plan(folder, planVersion=2)
    assert _refusal(folder).code == "plan_version"
    assert "version 2" in _refusal(folder).message


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"epochs": 0}, "epochs"),
        ({"unetLr": 0, "textEncoderLr": 0}, "unetLr"),
        ({"maxTokenLength": 100}, "maxTokenLength"),
        ({"optimizer": "SGD"}, "AdamW"),
        ({"lrScheduler": "step"}, "cosine"),
        ({"lrWarmupSteps": 1.5}, "lrWarmupSteps"),
        ({"optimizer": "Prodigy"}, "equal learning rates"),
        ({"optimizer": "AdamWScheduleFree"}, "constant"),
        ({"emaDecay": 1}, "emaDecay"),
        ({"unetLr": 0, "stopTextEncoderAt": 0.5}, "stopTextEncoderAt"),
        ({"seed": "42"}, "settings.seed"),
        ({"shuffleCaption": 1}, "settings.shuffleCaption"),
        ({"batchSize": True}, "settings.batchSize"),
    ],
)
def test_settings_that_cannot_be_trained_are_refused_by_name(
    tmp_path: Path, settings: dict[str, Any], word: str
) -> None:
    folder = write_run(tmp_path, Path("m"))
    _change_settings(folder, **settings)
    assert _refusal(folder).code == "bad_plan"
    assert word in _refusal(folder).message


def test_a_plan_of_an_earlier_version_without_later_settings_takes_what_it_meant(tmp_path: Path) -> None:
    settings = read_plan(write_run(tmp_path, Path("m")) / "plan.json").settings
    assert (settings.ema_decay, settings.gradient_accumulation_steps, settings.stop_text_encoder_at) == (0, 1, 1)


def test_accumulated_batches_make_fewer_steps(tmp_path: Path) -> None:
    folder = write_run(tmp_path, Path("m"), gradientAccumulationSteps=4)
    assert read_plan(folder / "plan.json").steps_per_epoch == 2
    _change_settings(folder, gradientAccumulationSteps=2)
    assert "3 steps an epoch" in _refusal(folder).message


def test_a_plan_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path, Path("m"))
    change_plan(folder, totalSteps=5)
    assert "totalSteps" in _refusal(folder).message


def test_unreadable_files_and_a_foreign_run_are_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path, Path("m"))
    change_plan(folder, id="another")
    assert _refusal(folder).code == "bad_plan"
    (folder / "plan.json").write_text("{")
    assert _refusal(folder).code == "bad_plan"
    (folder / "plan.json").unlink()
    assert _refusal(folder).code == "bad_plan"
