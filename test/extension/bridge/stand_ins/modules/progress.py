# ruff: noqa: ANN001
# The signatures are those of the WebUI.
import time
from collections import OrderedDict

current_task = None
pending_tasks = OrderedDict()
finished_tasks = []


def add_task_to_queue(task) -> None:
    pending_tasks[task] = time.time()


def start_task(task) -> None:
    global current_task
    current_task = task
    pending_tasks.pop(task, None)


def finish_task(task) -> None:
    global current_task
    if current_task == task:
        current_task = None
    finished_tasks.append(task)
