"""Drawing takes its turns in the WebUI's queue, and ends when somebody wants it to."""
# ruff: noqa: ANN401

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from drawing_request import cell, render, told
from modules import call_queue, processing, progress, shared
from node_side import NodeSide, Refused, queue_is_free, until
from train_lora_webui.bridge.host_connection import HostConnection


def test_the_users_own_picture_comes_between_two_cells(node: NodeSide, host: HostConnection, tmp_path: Path) -> None:
    order = []

    def users_own() -> None:
        with call_queue.queue_lock:
            order.append("user")

    def before_step(p: Any, step: int) -> None:
        if step == 0 and "korri" in p.prompt:
            order.append("cell")
        if order == ["cell"] and step == 1:
            threading.Thread(target=users_own, daemon=True).start()
            until(lambda: len(call_queue.queue_lock._pending_threads) > 0)

    processing.trouble.before_step = before_step
    assert node.request("renderCells", **render(tmp_path, [cell(1), cell(2), cell(3)])) == {"drawn": 3}
    assert order == ["cell", "user", "cell", "cell"]


def test_the_webui_shows_the_drawing_as_a_task_of_its_own(node: NodeSide, host: HostConnection, tmp_path: Path) -> None:
    seen = []
    processing.trouble.before_step = lambda p, step: seen.append(
        (progress.current_task, shared.state.job, shared.state.job_count, shared.state.textinfo)
    )
    node.request("renderCells", **render(tmp_path, [cell(1), cell(2)]))
    assert seen[0][0].startswith("task(train-lora-grid") and seen[0][1:3] == ("train_lora_grid", 2)
    assert seen[-1][3] == "korri: 2 / 2"
    assert not progress.pending_tasks


def test_cancelling_interrupts_our_picture_and_keeps_what_is_drawn(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    drawing = threading.Event()
    processing.trouble.step_seconds = 0.05
    processing.trouble.before_step = lambda p, step: drawing.set() if told(node) else None
    asked = node.send("renderCells", **render(tmp_path, [cell(1), cell(2), cell(3)], steps=20))
    assert drawing.wait(10)
    node.request("cancel", request=asked)
    assert node.result(asked) == {"drawn": 1}
    assert len(told(node)) == 1 and len(list((tmp_path / "out" / "cells").iterdir())) == 1
    assert not shared.state.interrupted and queue_is_free()


def test_cancelling_while_it_waits_never_interrupts_the_users_own_picture(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    with call_queue.queue_lock:
        shared.state.begin(job="the user's own")
        asked = node.send("renderCells", **render(tmp_path, [cell()]))
        until(lambda: len(progress.pending_tasks) == 1)
        node.request("cancel", request=asked)
        assert node.result(asked) == {"drawn": 0}
        assert not shared.state.interrupted and shared.state.job == "the user's own"
    until(queue_is_free)


def test_a_lost_socket_stops_our_rendering(node: NodeSide, host: HostConnection, tmp_path: Path) -> None:
    processing.trouble.step_seconds = 0.05
    node.send("renderCells", **render(tmp_path, [cell(n) for n in range(1, 9)], steps=20))
    until(lambda: shared.state.job == "train_lora_grid")
    node.kill()
    until(lambda: shared.state.job == "" and queue_is_free(), 5)
    assert len(list((tmp_path / "out").rglob("*.png"))) < 8


@pytest.mark.parametrize("sign", ["interrupted", "skipped", "stopping_generation"])
def test_the_users_interrupt_ends_the_drawing_with_a_sentence_and_writes_no_half_picture(
    node: NodeSide, host: HostConnection, tmp_path: Path, sign: str
) -> None:
    def before_step(p: Any, step: int) -> None:
        if step == 2 and "korri-000002" in p.prompt:
            setattr(shared.state, sign, True)

    processing.trouble.before_step = before_step
    with pytest.raises(Refused, match="interrupted in the WebUI") as refused:
        node.request("renderCells", **render(tmp_path, [cell(1), cell(2), cell(3)]))
    assert refused.value.failure["code"] == "webui_failed"
    # "Stop after this picture" lets the present one be finished.
    assert len(told(node)) == (2 if sign == "stopping_generation" else 1)
    assert queue_is_free()


def test_waits_while_training_holds_the_gpu_and_is_drawn_when_it_is_lent(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    lease = node.request("leaseGpu", job="j", jobName="run")
    asked = node.send("renderCells", **render(tmp_path, [cell()]))
    until(lambda: len(progress.pending_tasks) == 1)
    node.request("releaseGpu", lease=lease["lease"])
    again = node.send("leaseGpu", job="j", jobName="run")
    assert node.result(asked) == {"drawn": 1}
    node.request("releaseGpu", lease=node.result(again)["lease"])
    # What waits for us is no task of the user's.
    assert not [message for message in node.messages if message["type"] == "waiting"]
