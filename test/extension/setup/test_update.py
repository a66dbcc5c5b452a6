"""What an update asks for, says and leaves usable while there is no network."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from small_extension import STAND_INS, SmallExtension
from train_lora_webui import setup
from train_lora_webui.setup.read_changes import Change, changes_between
from train_lora_webui.setup.read_facts import hash_of_file


@pytest.fixture
def configured(extension: SmallExtension) -> Iterator[SmallExtension]:
    """The set-up as the shim sees it, whole and without a network to be reached."""
    assert extension.run()["status"] == "ready"
    setup.configure(extension.home, repository=extension.repository)
    yield extension
    setup.open_without_trainer(False)


def renumber(extension: SmallExtension, version: str) -> None:
    for name in ("package.json", "package-lock.json"):
        content = json.loads((extension.repository / name).read_text("utf-8"))
        extension.write(name, json.dumps({**content, "version": version}))


def test_another_number_alone_asks_for_no_package(extension: SmallExtension) -> None:
    extension.run()
    renumber(extension, "0.2.0")
    state = extension.state()
    assert [step["code"] for step in state["steps"]] == ["build"]
    assert (state["updatedFrom"]["number"], state["version"]["number"]) == ("0.1.0", "0.2.0")


def test_a_package_of_development_alone_asks_for_nothing(extension: SmallExtension) -> None:
    extension.run()
    lock = json.loads((extension.repository / "package-lock.json").read_text("utf-8"))
    lock["packages"]["node_modules/linter"] = {"version": "2.0.0", "dev": True}
    extension.write("package-lock.json", json.dumps(lock))
    assert extension.state()["status"] == "ready"


def test_what_development_installed_counts_as_installed(extension: SmallExtension) -> None:
    extension.run()
    stamp = extension.repository / "node_modules" / ".train-lora-lock"
    stamp.write_text(hash_of_file(extension.repository / "package-lock.json"), "utf-8")
    assert extension.state()["status"] == "ready"


def test_an_update_that_needs_nothing_opens_at_once(configured: SmallExtension) -> None:
    assert setup.is_ready()
    configured.write("README.md", "Another one.")
    setup.configure(configured.home, repository=configured.repository)
    assert setup.is_ready() and setup.trainer_is_ready()


def test_an_update_of_the_trainer_alone_can_wait_while_the_rest_is_used(configured: SmallExtension) -> None:
    configured.write("trainer-py/requirements.txt", "torch==2\n")
    setup.configure(configured.home, repository=configured.repository)
    assert not setup.is_ready()
    assert setup.state()["opensWithoutTrainer"]
    assert setup.open_without_trainer(True)
    assert setup.is_ready() and not setup.trainer_is_ready()
    assert setup.state()["status"] == "needed"
    # The next update asks again.
    configured.write("trainer-py/requirements.txt", "torch==3\n")
    setup.configure(configured.home, repository=configured.repository)
    assert not setup.is_ready()
    assert setup.open_without_trainer(True)
    assert not setup.open_without_trainer(False)
    assert not setup.is_ready()
    assert setup.start() and setup.wait(60)
    assert setup.is_ready() and setup.trainer_is_ready()


def test_without_the_server_there_is_nothing_to_open(configured: SmallExtension) -> None:
    configured.write("server/cli.js", "// another one")
    configured.write("trainer-py/requirements.txt", "torch==2\n")
    setup.configure(configured.home, repository=configured.repository)
    assert not setup.state()["opensWithoutTrainer"]
    assert not setup.open_without_trainer(True)


def test_the_packages_that_change_are_named_with_both_versions(extension: SmallExtension) -> None:
    extension.run()
    packages = extension.home / "venv-trainer" / "lib" / "python3.11" / "site-packages"
    for name in ("torch-1.0+cu128", "pip-23.2", "Typing_Extensions-4.0"):
        (packages / f"{name}.dist-info").mkdir(parents=True)
    extension.write(
        "trainer-py/requirements.txt", "torch==2\ntyping-extensions==4.0\nnew.one==1 # because\nold==1 ; x\n"
    )
    extension.write_packages("0.1.0", {**STAND_INS, "added": "export {};"})
    steps = {step["code"]: step for step in extension.state()["steps"]}
    assert steps["trainer"]["changes"] == [
        {"name": "new-one", "before": "", "after": "1"},
        {"name": "torch", "before": "1.0", "after": "2"},
    ]
    assert steps["packages"]["changes"] == [{"name": "node_modules/added", "before": "", "after": "1.0.0"}]
    assert steps["packages"]["changesInAll"] == 1
    extension.run()
    assert "[trainer] torch 1.0 → 2" in extension.lines()


def test_changes_are_what_comes_goes_and_differs() -> None:
    changes = changes_between({"a": "1", "b": "1", "c": "1"}, {"b": "1", "c": "2", "d": "1"})
    assert changes == (Change("a", "1", ""), Change("c", "1", "2"), Change("d", "", "1"))


def test_a_torch_that_misses_the_gpu_is_told_and_tried_again_when_asked_or_when_another_index_is_named(
    extension: SmallExtension, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRAIN_LORA_TORCH_INDEX", raising=False)
    extension.run()
    marker = extension.home / "venv-trainer" / "train-lora.json"
    said = {"warning": "This PyTorch can't use your GPU.", "index": ""}
    marker.write_text(json.dumps({**json.loads(marker.read_text("utf-8")), "torch": said}), "utf-8")
    state = extension.state()
    assert (state["status"], state["torchWarning"]) == ("ready", said["warning"])
    monkeypatch.setenv("TRAIN_LORA_TORCH_INDEX", "http://mirror.example/whl")
    assert [(step["code"], step["reason"]) for step in extension.state()["steps"]] == [("trainer", "torch")]
    monkeypatch.delenv("TRAIN_LORA_TORCH_INDEX")
    assert extension.setup.start(extension.place, False, better_torch=True)
    assert extension.setup.wait(60)
    assert [step.code for step in extension.setup.steps()] == ["trainer"]
    assert extension.state()["torchWarning"] == ""
