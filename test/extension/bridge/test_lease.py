"""The GPU lease: the WebUI's queue is held, and comes back on every way out."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest
from leased_gpu import JOB, given_back, model, wait_in_the_queue
from modules import call_queue, progress, shared
from node_side import NodeSide, Refused, queue_is_free, until
from train_lora_webui.bridge.host_connection import HostConnection


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
