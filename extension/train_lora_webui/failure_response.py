"""A `Failure` of protocol/errors.ts as an HTTP answer."""

from __future__ import annotations

from starlette.responses import JSONResponse


def failure_response(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"code": code, "message": message}, status_code=status, headers={"Cache-Control": "no-store"})
