"""The GPU lease: the WebUI's queue is held and its models are off the GPU, and both come back on every way out."""
# ruff: noqa: ANN401

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from modules import call_queue, progress, sd_models, shared
from node_side import NodeSide, Refused, queue_is_free, until
from train_lora_webui.bridge import gpu_memory
from train_lora_webui.bridge.host_connection import HostConnection

JOB = {"job": "job-1", "jobName": "korri"}


def model() -> Any:
    return sd_models.model_data.sd_model


def wait_in_the_queue(done: list[str]) -> threading.Thread:
    def generate() -> None:
        with call_queue.queue_lock:
            done.append(model().device)

    thread = threading.Thread(target=generate, daemon=True)
    thread.start()
    until(lambda: len(call_queue.queue_lock._pending_threads) > 0)
    return thread


def given_back() -> bool:
    return queue_is_free() and model().device == "gpu" and progress.current_task is None and not progress.pending_tasks


def test_the_lease_takes_the_model_off_the_gpu_and_release_puts_it_back(node: NodeSide, host: HostConnection) -> None:
    lease = node.request("leaseGpu", **JOB)
    assert lease["freedMb"] >= 0
    assert model().device == "cpu" and not queue_is_free()
    assert progress.current_task.startswith("task(train-lora-lease")
    assert node.request("releaseGpu", lease=lease["lease"]) == {}
    assert given_back()


def test_it_waits_its_turn_as_a_task_that_the_webui_shows(node: NodeSide, host: HostConnection) -> None:
    call_queue.queue_lock.acquire()
    asked = node.send("leaseGpu", **JOB)
    until(lambda: len(progress.pending_tasks) == 1)
    assert model().device == "gpu"
    call_queue.queue_lock.release()
    lease = node.result(asked)
    assert not progress.pending_tasks
    node.request("releaseGpu", lease=lease["lease"])


def test_a_cancelled_wait_ends_at_once_and_lets_the_queue_go_later(node: NodeSide, host: HostConnection) -> None:
    call_queue.queue_lock.acquire()
    asked = node.send("leaseGpu", **JOB)
    until(lambda: len(progress.pending_tasks) == 1)
    begun = time.monotonic()
    assert node.request("cancel", request=asked) == {}
    with pytest.raises(Refused) as refused:
        node.result(asked, 2)
    assert refused.value.failure["code"] == "webui_busy"
    assert time.monotonic() - begun < 1 and not progress.pending_tasks
    call_queue.queue_lock.release()
    until(given_back)


def test_a_lease_that_was_granted_is_ended_by_cancelling_its_request_or_by_release_and_both_twice(
    node: NodeSide, host: HostConnection
) -> None:
    asked = node.send("leaseGpu", **JOB)
    lease = node.result(asked)["lease"]
    node.request("cancel", request=asked)
    for _ in range(2):
        assert node.request("releaseGpu", lease=lease) == {}
    assert given_back()


@pytest.mark.parametrize("waiting", [False, True])
def test_a_killed_server_gives_back_the_lease(node: NodeSide, host: HostConnection, waiting: bool) -> None:
    if waiting:
        call_queue.queue_lock.acquire()
    asked = node.send("leaseGpu", **JOB)
    if waiting:
        until(lambda: len(progress.pending_tasks) == 1)
    else:
        node.result(asked)
    node.kill()
    if waiting:
        until(lambda: not progress.pending_tasks)
        call_queue.queue_lock.release()
    until(given_back)


def test_a_server_that_hangs_is_noticed_by_its_missing_heart_beat(
    node: NodeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    from train_lora_webui.bridge import host_connection

    monkeypatch.setattr(host_connection, "HEART_BEAT_SECONDS", 0.3)
    connection = host_connection.HostConnection()
    connection.start(lambda: (node.port, node.secret))
    node.wait_for("hello")
    node.result(node.send("leaseGpu", **JOB))
    hanging = threading.Event()
    node._loop.call_soon_threadsafe(hanging.wait, 8)
    until(given_back, 6)
    hanging.set()
    connection.stop()


def test_stopping_the_bridge_gives_back_the_lease(node: NodeSide, host: HostConnection) -> None:
    node.request("leaseGpu", **JOB)
    host.stop()
    until(given_back)


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


def test_tells_how_many_of_the_webuis_own_tasks_wait_behind_the_lease(node: NodeSide, host: HostConnection) -> None:
    lease = node.request("leaseGpu", **JOB)
    done = []
    threads = [wait_in_the_queue(done)]
    assert node.wait_for(lambda m: m == {"type": "waiting", "tasks": 1})
    node.request("releaseGpu", lease=lease["lease"])
    assert node.wait_for(lambda m: m == {"type": "waiting", "tasks": 0})
    for thread in threads:
        thread.join(2)
    assert done == ["gpu"]


def test_a_second_lease_is_refused_instead_of_waiting_for_the_first_for_ever(
    node: NodeSide, host: HostConnection
) -> None:
    lease = node.request("leaseGpu", **JOB)
    with pytest.raises(Refused) as refused:
        node.request("leaseGpu", **JOB)
    assert refused.value.failure["code"] == "webui_busy"
    node.request("releaseGpu", lease=lease["lease"])
    again = node.request("leaseGpu", **JOB)
    node.request("releaseGpu", lease=again["lease"])


def test_reload_ui_is_not_held_up_by_a_picture_that_waits_behind_the_lease(
    node: NodeSide, host: HostConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.request("leaseGpu", **JOB)
    done = []
    thread = wait_in_the_queue(done)
    monkeypatch.setattr(shared, "demo", SimpleNamespace(server=SimpleNamespace(should_exit=True)))
    thread.join(2)
    assert done == ["gpu"]
    node.wait_for_connection(2)


def test_reload_ui_leaves_the_lease_alone_when_nobody_waits(
    node: NodeSide, host: HostConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = node.request("leaseGpu", **JOB)
    monkeypatch.setattr(shared, "demo", SimpleNamespace(server=SimpleNamespace(should_exit=True)))
    time.sleep(0.2)
    assert model().device == "cpu" and node.connections == 1
    node.request("releaseGpu", lease=lease["lease"])


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
