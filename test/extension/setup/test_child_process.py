"""Ending a program with all that it has started."""

from train_lora_webui.setup.child_process import windows_kill


def test_windows_ends_the_whole_tree_first_asked_then_forced() -> None:
    assert windows_kill(42, hard=False) == ["taskkill", "/T", "/PID", "42"]
    assert windows_kill(42, hard=True) == ["taskkill", "/T", "/F", "/PID", "42"]
