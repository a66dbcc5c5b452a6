"""Two axes of our own in the WebUI's X/Y/Z plot: the epoch and the weight of a LoRA that we trained."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Callable

from .log import say
from .lora_tag import first_name, number, with_name, with_weight
from .runs import epoch_names, epoch_of, known_runs, run_of

EPOCH_AXIS = "[Train LoRA] Epoch"
WEIGHT_AXIS = "[Train LoRA] Weight"
"""The WebUI stores these labels in its ui-config and in pictures: they never change."""

WEIGHT_RANGE = (-10.0, 10.0)


def register_axes() -> bool:
    """
    Adds both axes to each X/Y/Z script that is loaded; call it in `on_before_ui`. Harmless when repeated, needed
    again after "Reload UI" (the script's module is new then). False when this WebUI has no such script. Never raises.
    """
    try:
        places = _places()
        for options, axis_option in places:
            _add(options, axis_option)
    except Exception as thrown:
        say(f"the X/Y/Z plot does not get our axes ({type(thrown).__name__}: {thrown})")
        return False
    return bool(places)


def has_axes() -> bool:
    """True when the X/Y/Z plot offers both axes."""
    wanted = {EPOCH_AXIS, WEIGHT_AXIS}
    try:
        return any(wanted <= {option.label for option in options} for options, _axis in _places())
    except Exception:
        return False


def apply_epoch(p: Any, name: str, names: list[str]) -> None:
    """
    AxisOption.apply: puts the file `name` into our tag of the prompt, or appends one; other LoRAs stay as they are.
    """
    ours = _names_of_runs(names)
    _rewrite(p, lambda prompt: with_name(prompt, ours.__contains__, name))


def apply_weight(p: Any, weight: float, _weights: list[float]) -> None:
    """
    AxisOption.apply: sets the weight of our tag, keeping the ratio of text encoder and UNet; appends one when there
    is none.
    """
    swept = _swept_epochs()
    runs = known_runs()
    newest = swept or [save.name for run in runs[:1] for save in run.saves]
    every = {save.name for run in runs for save in run.saves}
    ours = _names_of_runs(newest)
    if not swept and not _has_tag(p, ours):
        ours = every
    _rewrite(p, lambda prompt: with_weight(prompt, ours.__contains__, weight, newest[-1]))


def confirm_epochs(_p: Any, names: list[str]) -> None:
    """AxisOption.confirm: raises RuntimeError with a sentence before anything is drawn."""
    known = set(epoch_names())
    missing = [name for name in names if name not in known and not _listed(name)]
    if missing:
        raise RuntimeError(
            f"{EPOCH_AXIS}: there is no LoRA file {', '.join(missing)}. Choose the epochs from the list."
        )


def confirm_weights(p: Any, weights: list[float]) -> None:
    """AxisOption.confirm: as confirm_epochs."""
    low, high = WEIGHT_RANGE
    wrong = [weight for weight in weights if not low <= weight <= high]
    if wrong:
        raise RuntimeError(
            f"{WEIGHT_AXIS}: a weight lies between {low:g} and {high:g}, not {', '.join(map(number, wrong))}."
        )
    if not known_runs():
        raise RuntimeError(
            f"{WEIGHT_AXIS}: no trained LoRA is known yet. Train one, or put its epochs into the LoRA folder."
        )


def epoch_label(_p: Any, _option: Any, name: str) -> str:
    """AxisOption.format_value: `Epoch 4`; a file without a known epoch keeps its name."""
    epoch = epoch_of(name)
    return name if epoch is None else f"Epoch {epoch}"


def weight_label(_p: Any, _option: Any, weight: float) -> str:
    """AxisOption.format_value: `Weight 0.8`."""
    return f"Weight {number(weight)}"


def _add(options: list[Any], axis_option: Callable[..., Any]) -> None:
    labels = {option.label for option in options}
    if EPOCH_AXIS not in labels:
        options.append(
            axis_option(
                EPOCH_AXIS,
                str,
                apply_epoch,
                format_value=epoch_label,
                confirm=confirm_epochs,
                cost=0.6,
                choices=epoch_names,
            )
        )
    if WEIGHT_AXIS not in labels:
        options.append(
            axis_option(WEIGHT_AXIS, float, apply_weight, format_value=weight_label, confirm=confirm_weights, cost=0.3)
        )


def _places() -> list[tuple[list[Any], Callable[..., Any]]]:
    """
    (list of axes, its AxisOption class): the class must come from the same module, because the script compares types.
    """
    return [*_classic_place(), *_script_places()]


def _script_places() -> list[tuple[list[Any], Callable[..., Any]]]:
    try:
        from modules import scripts
    except ImportError:
        return []
    modules: list[Any] = [_module_of(data) for data in getattr(scripts, "scripts_data", [])]
    plots = {id(module): module for module in modules if hasattr(module, "axis_options")}
    return [(plot.axis_options, plot.AxisOption) for plot in plots.values()]


def _module_of(data: Any) -> Any | None:
    """The script's module when it is the X/Y/Z plot."""
    module_name = getattr(getattr(data, "script_class", None), "__module__", "")
    is_xyz = Path(str(getattr(data, "path", ""))).name == "xyz_grid.py" or module_name in (
        "xyz_grid.py",
        "scripts.xyz_grid",
    )
    return (getattr(data, "module", None) or sys.modules.get(module_name)) if is_xyz else None


def _classic_place() -> list[tuple[list[Any], Callable[..., Any]]]:
    """forge-classic keeps the plot in a package of its own."""
    builtins, classes = sys.modules.get("lib_xyz.builtins"), sys.modules.get("lib_xyz.classes")
    options = getattr(builtins, "builtin_options", None) or getattr(builtins, "axis_options", None)
    axis_option = getattr(classes, "AxisOption", None)
    return [(options, axis_option)] if isinstance(options, list) and axis_option else []


def _names_of_runs(names: list[str]) -> set[str]:
    """Every file of the runs to which these belong: each of them may stand in the prompt."""
    runs = [run_of(name) for name in names]
    return {save.name for run in runs if run for save in run.saves} | set(names)


def _swept_epochs() -> list[str]:
    """Values of our epoch axis in the plot that is being drawn: it may be applied after the weight axis."""
    try:
        from modules import shared

        plots = [getattr(shared.state, f"xyz_plot_{axis}", None) for axis in "xyz"]
        return next((list(plot.values) for plot in plots if plot is not None and plot.axis.label == EPOCH_AXIS), [])
    except Exception:
        return []


def _rewrite(p: Any, change: Callable[[str], str]) -> None:
    """The prompt of the first pass, that of hires fix when it has its own, and prompts that are spread out already."""
    p.prompt = _changed(p.prompt, change)
    if getattr(p, "hr_prompt", None):
        p.hr_prompt = _changed(p.hr_prompt, change)
    for name in ("all_prompts", "all_hr_prompts"):
        if getattr(p, name, None):
            setattr(p, name, _changed(getattr(p, name), change))


def _changed(prompt: Any, change: Callable[[str], str]) -> Any:
    return [change(each) for each in prompt] if isinstance(prompt, list) else change(prompt or "")


def _has_tag(p: Any, names: set[str]) -> bool:
    prompts = p.prompt if isinstance(p.prompt, list) else [p.prompt or ""]
    return any(first_name(prompt, names.__contains__) for prompt in prompts)


def _listed(name: str) -> bool:
    available = getattr(sys.modules.get("networks"), "available_networks", {})
    return name in available
