"""`python -m trainer lora REQUEST.json`: one tool, one line of JSON with its result."""

import json
import sys
from pathlib import Path
from typing import Any

import torch

from trainer.events import camel_keys, write_line
from trainer.failure import Failure
from trainer.tools.compare import compare
from trainer.tools.convert import convert
from trainer.tools.inspect_lora import inspect
from trainer.tools.merge import merge
from trainer.tools.requests import Compare, Convert, Inspect, Merge, Request, Resize, Verify, tool_request
from trainer.tools.resize import resize
from trainer.tools.verify import verify


def run_tool(source: str) -> None:
    """Do what the JSON in the file `source` ("-": stdin) asks for and say the result. Raises Failure."""
    try:
        value = json.loads(sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure("bad_request", f"Expected JSON that asks for a tool, but it can't be read ({error}).") from error
    request = tool_request(value)
    with torch.no_grad():
        write_line(camel_keys(_result(request)))


def _result(request: Request) -> dict[str, Any]:
    match request:
        case Inspect():
            return inspect(request)
        case Resize():
            return resize(request)
        case Merge():
            return merge(request)
        case Compare():
            return compare(request)
        case Verify():
            return verify(request)
        case Convert():
            return convert(request)
