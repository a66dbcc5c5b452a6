"""Several processes that train one run together, over gloo on this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from run_folder import ROOT, Trainer, change_plan, train, write_run

RECIPE = {
    "batchSize": 4,
    "images": 9,
    "networkDropout": 0.1,
    "rankDropout": 0.1,
    "noiseOffset": 0.05,
    "multiresNoiseIterations": 3,
    "captionTagDropoutRate": 0.2,
    "flipAug": True,
}


@pytest.mark.parametrize("recipe", [RECIPE, {"batchSize": 1, "gradientAccumulationSteps": 3, "images": 5}])
def test_two_processes_train_what_one_does_with_the_same_batch(
    tmp_path: Path, tiny_checkpoint: Path, recipe: dict[str, Any]
) -> None:
    alone, together = (write_run(tmp_path / name, tiny_checkpoint, epochs=1, **recipe) for name in ("a", "t"))
    _spread(together)
    one, two = train(alone), train(together)
    assert _losses(two) == pytest.approx(_losses(one), rel=1e-3)
    assert _losses(two)[0] == pytest.approx(_losses(one)[0], rel=1e-5)
    files = [load_file(folder / "models" / "zorp.safetensors") for folder in (alone, together)]
    assert files[0].keys() == files[1].keys()
    change, size = (
        torch.cat([value.float().flatten() for key, value in each.items() if "alpha" not in key])
        for each in ({key: files[1][key] - value for key, value in files[0].items()}, files[0])
    )
    # Adam turns the last bit of a gradient near zero into a whole step, so that single numbers may differ.
    assert float(change.norm() / size.norm()) < 2e-2
    stages = [event["stage"] for event in two if event["type"] == "stage"]
    assert stages.count("loadingModel") == 2 and len([event for event in two if event["type"] == "saved"]) == 1


def test_a_pause_of_two_processes_goes_on_bit_for_bit(tmp_path: Path, tiny_checkpoint: Path) -> None:
    whole, parted = (_spread(write_run(tmp_path / name, tiny_checkpoint)) for name in ("whole", "parted"))
    train(whole)
    paused = Trainer("train", str(parted))
    paused.until("step", step=4)
    others = _children(paused.pid)
    assert len(others) == 1
    paused.say('{"type": "park"}')
    paused.until("parked")
    paused.say('{"type": "unpark"}')
    paused.until("unparked")
    paused.say('{"type": "saveNow"}')
    paused.until("savedNow")
    paused.say('{"type": "pause"}')
    events, code = paused.end()
    assert (events[-1]["type"], code) == ("paused", 0) and not _is_there(others[0])
    events = train(parted)
    assert events[-1]["type"] == "finished"
    names = [folder / "models" / "zorp.safetensors" for folder in (whole, parted)]
    assert names[0].read_bytes()[-1000:] == names[1].read_bytes()[-1000:]
    one, two = map(load_file, names)
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_numbers_that_break_send_all_processes_back_together(tmp_path: Path, tiny_checkpoint: Path) -> None:
    run = _spread(write_run(tmp_path / "run", tiny_checkpoint, unetLr=1e30, maxGradNorm=0))
    events, code = Trainer("train", str(run)).end()
    assert (events[-1]["code"], code) == ("nan_loss", 1)
    assert [event["step"] for event in events if event["type"] == "started"] == [0, 0]


def test_a_process_that_is_killed_ends_the_run_with_a_sentence(tmp_path: Path, tiny_checkpoint: Path) -> None:
    run = _spread(write_run(tmp_path / "run", tiny_checkpoint, epochs=200))
    trainer = Trainer("train", str(run))
    trainer.until("step", step=3)
    os.kill(_children(trainer.pid)[0], signal.SIGKILL)
    started = time.monotonic()
    events, code = trainer.end()
    assert (events[-1]["type"], events[-1]["code"], code) == ("failed", "crashed", 1)
    assert "all 2 processes" in events[-1]["message"] and time.monotonic() - started < 30


def test_the_others_go_when_the_first_process_is_killed(tmp_path: Path, tiny_checkpoint: Path) -> None:
    run = _spread(write_run(tmp_path / "run", tiny_checkpoint, epochs=200))
    trainer = Trainer("train", str(run))
    trainer.until("step", step=3)
    other = _children(trainer.pid)[0]
    trainer.kill()
    until = time.monotonic() + 30
    while _is_there(other) and time.monotonic() < until:
        time.sleep(0.1)
    assert not _is_there(other)


def test_accelerate_may_start_the_processes_and_what_one_fails_with_is_told(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, epochs=1)
    events = _launched(run)
    assert [event["type"] for event in events if event["type"] in ("saved", "finished")] == ["saved", "finished"]
    assert len(_losses(events)) == len({event["step"] for event in events if event["type"] == "step"}) == 6
    (run / "dataset" / "2_zorp" / "5.png").unlink()
    change_plan(run, id="another")
    (run / "run.json").write_text((run / "run.json").read_text().replace("00112233445566ff", "another"))
    (run / "state" / "state.json").unlink()
    last = _launched(run)[-1]
    assert last["type"] == "failed" and "5.png" in last["message"]


def _spread(run: Path) -> Path:
    plan = json.loads((run / "plan.json").read_text())
    change_plan(run, settings={**plan["settings"], "numProcesses": 2})
    return run


def _losses(events: list[dict[str, Any]]) -> list[float]:
    return [event["loss"] for event in events if event["type"] == "step"]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _launched(run: Path) -> list[dict[str, Any]]:
    launch = ["accelerate.commands.launch", "--cpu", "--num_processes=2", "--num_machines=1", "--mixed_precision=no"]
    more = ["--num_cpu_threads_per_process=1", "--dynamo_backend=no", "-m", "trainer", "train", str(run)]
    stdin, kept_open = os.pipe()
    done = subprocess.run(
        [sys.executable, "-m", *launch, *more],
        cwd=ROOT / "trainer-py",
        stdin=stdin,
        stdout=subprocess.PIPE,
        check=False,
        env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"},
        timeout=300,
    )
    os.close(stdin)
    os.close(kept_open)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
