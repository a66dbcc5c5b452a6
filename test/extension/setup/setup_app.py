"""The set-up's routes on a bare FastAPI, run by a Python of a WebUI: `setup_app.py REPOSITORY HOME`. Says its port."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "extension"))

import uvicorn  # noqa: E402
from fastapi import FastAPI, HTTPException, Request  # noqa: E402
from train_lora_webui import setup  # noqa: E402
from train_lora_webui.access import Access  # noqa: E402


def guard(request: Request) -> Access:
    """Believes a header, in the place of the login, the token and the options that the real one looks at."""
    said = json.loads(request.headers.get("x-test-access", "null"))
    if said is None:
        raise HTTPException(401, "Expected the page's token.")
    return Access(level=said["level"], hide_folders=said["hideFolders"])


def main() -> None:
    setup.configure(Path(sys.argv[2]), repository=Path(sys.argv[1]))
    app = FastAPI()
    setup.routes(app, "/train-lora", guard)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
