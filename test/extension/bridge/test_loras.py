"""New LoRA files become known to the WebUI."""

import sys
import threading
import time
from pathlib import Path

import pytest
from modules import shared
from node_side import NodeSide, Refused
from train_lora_webui.bridge.host_connection import HostConnection


def touch(webui: Path, *names: str) -> None:
    for name in names:
        (webui / "models" / "Lora" / f"{name}.safetensors").write_bytes(b"")


def test_a_new_file_is_listed_and_what_is_not_there_is_told(node: NodeSide, host: HostConnection, webui: Path) -> None:
    touch(webui, "korri-000001")
    assert node.request("refreshLoras", names=["korri-000001", "korri-000002"]) == {"missing": ["korri-000002"]}
    assert list(sys.modules["networks"].available_networks) == ["korri-000001"]


def test_only_the_new_files_are_read_because_a_whole_scan_empties_the_list_for_a_moment(
    node: NodeSide, host: HostConnection, webui: Path
) -> None:
    touch(webui, "korri-000001", "korri-000002")
    node.request("refreshLoras", names=["korri-000001"])
    node.request("refreshLoras", names=["korri-000001", "korri-000002"])
    assert sys.modules["networks"].scans == [["korri-000001"], ["korri-000002"]]
    node.request("refreshLoras", names=["korri-000001"])
    assert len(sys.modules["networks"].scans) == 2


def test_before_1_10_a_whole_scan_is_shared_by_those_who_ask_during_one(
    node: NodeSide, host: HostConnection, webui: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = sys.modules["networks"]
    monkeypatch.delattr(type(networks), "update_available_networks_by_names")
    read, scanning = networks._read, threading.Event()

    def slow(names: list[str]) -> None:
        scanning.set()
        time.sleep(0.3)
        read(names)

    networks._read = slow
    touch(webui, "a", "b", "c")
    first = node.send("refreshLoras", names=["a"])
    assert scanning.wait(5)
    others = [node.send("refreshLoras", names=[name]) for name in ("b", "c", "never")]
    assert [node.result(identity)["missing"] for identity in (first, *others)] == [[], [], [], ["never"]]
    assert len(networks.scans) <= 2


def test_a_lora_extension_that_is_switched_off_is_said_in_words(
    node: NodeSide, host: HostConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "networks")
    with pytest.raises(Refused, match="Lora extension is switched off") as refused:
        node.request("refreshLoras", names=["a"])
    assert refused.value.failure["code"] == "webui_missing"


def test_another_programs_networks_module_is_not_taken_for_it(
    node: NodeSide, host: HostConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import ModuleType

    monkeypatch.setitem(sys.modules, "networks", ModuleType("networks"))
    with pytest.raises(Refused) as refused:
        node.request("refreshLoras", names=["a"])
    assert refused.value.failure["code"] == "webui_missing"


def test_a_hidden_folder_that_the_webui_skips_is_said_in_words(
    node: NodeSide, host: HostConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.cmd_opts, "lora_dir", "/home/user/.models/Lora")
    shared.opts.data["list_hidden_files"] = False
    with pytest.raises(Refused, match="hidden"):
        node.request("refreshLoras", names=["a"])
