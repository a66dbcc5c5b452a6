"""The set-up's routes on the WebUI's own app: they answer before there is any Node."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from . import current


def add_setup_routes(app: Any, prefix: str, guard: Callable[..., Any]) -> None:
    """Adds GET `<prefix>/setup`, POST `<prefix>/setup/start`, `<prefix>/setup/cancel` and `<prefix>/setup/open`.

    `guard` is a FastAPI dependency that lets a request through by returning its `Access` (see access.py), or raises.
    """

    def read(request: Request, access: Any = Depends(guard)) -> JSONResponse:  # noqa: ANN401, B008 - FastAPI's manner
        since = request.query_params.get("since", "0")
        answer = current.state_with_log(int(since) if since.isdigit() else 0, bool(access.hide_folders))
        return _json(200, answer)

    async def start(request: Request, access: Any = Depends(guard)) -> JSONResponse:  # noqa: ANN401, B008
        if access.level != "full":
            return _restricted()
        asked = _choices(await request.body(), "privateNode", "betterTorch")
        return _odd_body() if asked is None else _json(200, {"started": current.start(*asked)})

    async def cancel(access: Any = Depends(guard)) -> JSONResponse:  # noqa: ANN401, B008
        if access.level != "full":
            return _restricted()
        current.cancel()
        return _json(200, {})

    async def open_without_trainer(request: Request, access: Any = Depends(guard)) -> JSONResponse:  # noqa: ANN401, B008
        if access.level != "full":
            return _restricted()
        asked = _choices(await request.body(), "withoutTrainer")
        if asked is None:
            return _odd_body()
        return _json(200, {"opened": await run_in_threadpool(current.open_without_trainer, *asked)})

    app.add_api_route(f"{prefix}/setup", read, methods=["GET"], include_in_schema=False)
    app.add_api_route(f"{prefix}/setup/start", start, methods=["POST"], include_in_schema=False)
    app.add_api_route(f"{prefix}/setup/cancel", cancel, methods=["POST"], include_in_schema=False)
    app.add_api_route(f"{prefix}/setup/open", open_without_trainer, methods=["POST"], include_in_schema=False)


def _restricted() -> JSONResponse:
    return _json(
        403,
        {
            "code": "restricted",
            "message": "This WebUI can be reached from outside without a login, so nobody may install anything through "
            "it. Start it with --gradio-auth, or with --train-lora-allow-remote to take the risk.",
        },
    )


def _choices(body: bytes, *names: str) -> list[bool] | None:
    """The named ones of a JSON object of booleans, False where it does not say; None for a body of another shape."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    chosen = [value for value in (found.get(name, False) for name in names) if isinstance(value, bool)]
    return chosen if len(chosen) == len(names) else None


def _odd_body() -> JSONResponse:
    return _json(400, {"code": "bad_request", "message": "Expected a JSON object of true and false."})


def _json(status: int, content: Any) -> JSONResponse:
    return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store"})
