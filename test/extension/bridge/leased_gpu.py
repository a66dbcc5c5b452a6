"""The GPU as a test of the lease sees it."""
# ruff: noqa: ANN401

from __future__ import annotations

import threading
from typing import Any

from modules import call_queue, progress, sd_models
from node_side import queue_is_free, until

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
