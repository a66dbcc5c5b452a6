"""The WebUI's models are off the GPU during a lease and back after it, on every flavour."""
# ruff: noqa: ANN401

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from leased_gpu import JOB, given_back, model
from modules import sd_models
from node_side import NodeSide, Refused, queue_is_free, until
from train_lora_webui.bridge import gpu_memory
from train_lora_webui.bridge.host_connection import HostConnection


def test_an_unload_that_fails_half_way_is_refused_and_everything_is_put_back(
    node: NodeSide, host: HostConnection
) -> None:
    model().fails = [RuntimeError("CUDA error: something")]
    with pytest.raises(Refused) as refused:
        node.request("leaseGpu", **JOB)
    assert refused.value.failure["code"] == "webui_failed"
    assert "CUDA error" in refused.value.failure["message"]
    until(given_back)


def test_putting_back_is_tried_again_while_the_trainer_still_has_the_memory(
    node: NodeSide, host: HostConnection
) -> None:
    lease = node.request("leaseGpu", **JOB)
    model().fails = [MemoryError("out of memory")]
    node.request("releaseGpu", lease=lease["lease"])
    assert given_back()


def test_a_model_that_can_not_be_put_back_is_put_back_before_the_next_picture(
    node: NodeSide, host: HostConnection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu_memory, "PUT_BACK_SECONDS", 0.0)
    lease = node.request("leaseGpu", **JOB)
    kept = model()
    kept.fails = [MemoryError("out of memory")]
    node.request("releaseGpu", lease=lease["lease"])
    assert queue_is_free() and "the next picture tries again" in capsys.readouterr().err
    assert sd_models.reload_model_weights() is kept and kept.device == "gpu"


def test_a_webui_without_a_model_can_be_leased_and_loads_none_for_it(node: NodeSide, host: HostConnection) -> None:
    sd_models.model_data.__init__()
    lease = node.request("leaseGpu", **JOB)
    node.request("releaseGpu", lease=lease["lease"])
    assert sd_models.model_data.loads == 0 and queue_is_free()


def test_a_lowvram_model_is_given_back_without_moving_it_to_the_gpu_as_a_whole(
    node: NodeSide, host: HostConnection
) -> None:
    model().lowvram = True
    lease = node.request("leaseGpu", **JOB)
    node.request("releaseGpu", lease=lease["lease"])
    assert model().device == "cpu" and queue_is_free()


def test_webui_1_6_loses_its_model_when_unloading_and_gets_it_loaded_again(
    node: NodeSide, host: HostConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unload(sd_model: Any = None, info: Any = None) -> None:
        sd_models.model_data.sd_model = None
        sd_models.model_data.loaded_sd_models = []

    monkeypatch.delattr(sd_models, "send_model_to_device")
    monkeypatch.delattr(sd_models, "send_model_to_cpu")
    monkeypatch.setattr(sd_models, "unload_model_weights", unload)
    lease = node.request("leaseGpu", **JOB)
    assert model() is None
    monkeypatch.setattr(sd_models, "send_model_to_device", lambda m: m.to("gpu"), raising=False)
    monkeypatch.delattr(sd_models, "send_model_to_device")
    node.request("releaseGpu", lease=lease["lease"])
    assert model().device == "gpu" and queue_is_free()


@pytest.mark.parametrize("manager", ["backend.memory_management", "ldm_patched.modules.model_management"])
def test_forge_and_reforge_unload_on_their_main_thread_and_load_by_themselves(
    node: NodeSide, host: HostConnection, monkeypatch: pytest.MonkeyPatch, manager: str
) -> None:
    seen = []
    thread = SimpleNamespace(run_and_wait_result=lambda work: (seen.append("main thread"), work())[1])
    memory = SimpleNamespace(
        unload_all_models=lambda: seen.append("unload"), soft_empty_cache=lambda: seen.append("empty")
    )
    install(monkeypatch, {"modules_forge.main_thread": thread, manager: memory})
    monkeypatch.setattr(sd_models, "send_model_to_device", lambda m: pytest.fail("A1111's way"))
    lease = node.request("leaseGpu", **JOB)
    assert seen == ["main thread", "unload", "empty"]
    node.request("releaseGpu", lease=lease["lease"])
    assert queue_is_free()


def test_what_raises_on_forges_main_thread_is_refused_though_its_runner_swallows_it(
    node: NodeSide, host: HostConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swallowing(work: Any) -> Any:
        try:
            return work()
        except Exception:
            return None

    def unload() -> NoReturn:
        raise RuntimeError("no such device")

    memory = SimpleNamespace(unload_all_models=unload, soft_empty_cache=lambda: None)
    thread = SimpleNamespace(run_and_wait_result=swallowing)
    install(monkeypatch, {"modules_forge.main_thread": thread, "backend.memory_management": memory})
    with pytest.raises(Refused, match="no such device"):
        node.request("leaseGpu", **JOB)
    until(queue_is_free)


def install(monkeypatch: pytest.MonkeyPatch, modules: dict[str, SimpleNamespace]) -> None:
    """Puts modules with their parents where `import` finds them."""
    import sys
    from types import ModuleType

    for name, members in modules.items():
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            parent = ".".join(parts[:count])
            if parent not in sys.modules:
                module = ModuleType(parent)
                module.__path__ = []
                monkeypatch.setitem(sys.modules, parent, module)
            if count > 1:
                monkeypatch.setattr(
                    sys.modules[".".join(parts[: count - 1])], parts[count - 1], sys.modules[parent], raising=False
                )
        for member, value in vars(members).items():
            setattr(sys.modules[name], member, value)
