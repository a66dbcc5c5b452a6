"""onnxruntime as the tagger uses it: which device computes, and with which options."""

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.failure import Failure

if TYPE_CHECKING:
    import onnxruntime

_Provider = tuple[str, str, dict[str, str]]
_PROVIDERS: tuple[_Provider, ...] = (
    (
        "cuda",
        "CUDAExecutionProvider",
        {"arena_extend_strategy": "kSameAsRequested", "cudnn_conv_algo_search": "HEURISTIC"},
    ),
    ("directml", "DmlExecutionProvider", {}),
)
_CPU: _Provider = ("cpu", "CPUExecutionProvider", {})


@dataclass(frozen=True)
class OpenSession:
    """device: cuda, directml or cpu, where it really computes. said: why that is not the GPU that was wanted."""

    session: "onnxruntime.InferenceSession"
    device: str
    said: str


def open_session(model: Path, device: str) -> OpenSession:
    """The model in `model`, loaded. device: auto or cpu.

    Raises Failure `tagger_missing` without onnxruntime or the file, `tagger_unsupported` for a file that is no model.
    """
    runtime = _runtime()
    if not model.is_file():
        raise Failure(
            "tagger_missing",
            f"Expected the tagger {model}, but there is no such file; choose another tagger or download it again.",
        )
    said = ""
    for name, provider, options in _wanted(runtime, device):
        try:
            session = runtime.InferenceSession(str(model), _options(runtime, name), providers=[(provider, options)])
        except Exception as error:
            if name == "cpu":
                raise _unusable(model, error) from error
            said = _first_line(error)
            continue
        if provider in session.get_providers():
            return OpenSession(session, name, said)
        said = f"{name} can't be used here"
        if "CPUExecutionProvider" in session.get_providers():
            return OpenSession(session, "cpu", said)
    raise _unusable(model, said)


def _runtime() -> Any:  # noqa: ANN401
    try:
        import onnxruntime
    except ImportError as error:
        raise Failure(
            "tagger_missing",
            "Expected onnxruntime, which runs the taggers, but it is not installed; install it on the tags page.",
            str(error),
        ) from error
    onnxruntime.set_default_logger_severity(3)
    return onnxruntime


def _wanted(runtime: Any, device: str) -> list[_Provider]:  # noqa: ANN401
    if device == "cpu" or os.environ.get("TRAIN_LORA_DEVICE") == "cpu":
        return [_CPU]
    available = runtime.get_available_providers()
    gpus = [entry for entry in _PROVIDERS if entry[1] in available]
    if any(name == "cuda" for name, *_ in gpus):
        _load_cuda(runtime)
    return [*gpus, _CPU]


def _load_cuda(runtime: Any) -> None:  # noqa: ANN401
    # torch brings the CUDA libraries along and loads them so that others in the process find them.
    with contextlib.suppress(ImportError, OSError):
        import torch  # noqa: F401
    with contextlib.redirect_stdout(sys.stderr), contextlib.suppress(AttributeError, OSError, RuntimeError):
        runtime.preload_dlls()


def _options(runtime: Any, device: str) -> Any:  # noqa: ANN401
    options = runtime.SessionOptions()
    # Threads that spin while they wait take the cores from those that decode, and from every other program.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if threads := os.environ.get("OMP_NUM_THREADS", ""):
        options.intra_op_num_threads = int(threads) if threads.isdigit() else 0
    if device == "directml":
        options.enable_mem_pattern = False
    return options


def _unusable(model: Path, error: object) -> Failure:
    return Failure(
        "tagger_unsupported",
        f"Expected a tagger in ONNX format in {model}, but it can't be loaded ({_first_line(error)}); "
        "download it again or choose another.",
        str(error),
    )


def _first_line(error: object) -> str:
    return (str(error).splitlines() or [""])[0][:300]
