"""Start values of the txt2img scripts, as if the user had touched none of their controls."""

from __future__ import annotations

from typing import Any


def default_script_args(runner: Any) -> tuple[Any, ...]:
    """
    One value for each control of a ScriptRunner, in its order; place 0 chooses no script. `()` while no UI has been
    built. Built from the controls themselves: places differ with versions and with the extensions that are installed.
    """
    controls = list(getattr(runner, "inputs", None) or [])
    if len(controls) < 2:
        return ()
    return (0, *(_start_value(control) for control in controls[1:]))


def _start_value(control: Any) -> Any:
    value = getattr(control, "value", None)
    if getattr(control, "type", None) != "index":
        return value
    values = [
        choice[1] if isinstance(choice, (tuple, list)) else choice for choice in getattr(control, "choices", None) or []
    ]
    if isinstance(value, list):
        return [values.index(each) for each in value if each in values]
    return values.index(value) if value in values else None
