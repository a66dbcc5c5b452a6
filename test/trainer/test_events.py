"""What goes over the wire."""

import json

import pytest

from run_folder import Trainer
from trainer.events import camel_keys, emit


def test_keys_are_camel_case_at_every_depth_and_values_stay(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    emit({"type": "evaluated", "at_weights": [{"held_out_loss": None, "file": "snake_case.png"}]})
    (line,) = capfdbinary.readouterr().out.splitlines()
    event = json.loads(line)
    assert event["atWeights"] == [{"heldOutLoss": None, "file": "snake_case.png"}] and event["time"] > 1e12
    assert camel_keys({"peak_rss_mb": 1}) == {"peakRssMb": 1}


def test_a_number_that_json_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        emit({"type": "step", "loss": float("nan")})


def test_wrong_usage_ends_with_code_2_and_the_device_is_one_line_of_json() -> None:
    assert Trainer("dance").end()[1] == 2
    device = Trainer("device")
    (line,) = list(device._events)
    assert device.end()[1] == 0
    assert json.loads(line).keys() == {"kind", "name", "bf16", "torch"}
