"""One way into a WebUI, as browsers and scripts speak: plain or TLS, at its own address or below a path of a proxy."""

from __future__ import annotations

import http.client
import json
import re
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from raw_socket import RawSocket


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    cookies: dict[str, str]
    #: Whole `Set-Cookie` lines.
    cookie_lines: tuple[str, ...] = ()

    def json(self) -> Any:  # noqa: ANN401
        return json.loads(self.body)


class Entrance:
    """`prefix`: what stands before each path; `tls`: the certificate that is trusted."""

    def __init__(self, port: int, prefix: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.port, self.prefix, self.tls = port, prefix, tls

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Answer:  # noqa: ANN401
        connection = self.connect()
        try:
            connection.request(method, f"{self.prefix}{path}", body=body, headers=headers or {})
            answer = connection.getresponse()
            lines = tuple(answer.headers.get_all("set-cookie") or ())
            cookies = [line.split(";")[0].partition("=") for line in lines]
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read(), {name: value for name, _, value in cookies}, lines)
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPConnection:
        if self.tls is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self.tls)

    def socket(self, headers: dict[str, str], path: str = "/train-lora/ws") -> RawSocket:
        host = {"Host": f"127.0.0.1:{self.port}"}
        return RawSocket(self.port, f"{self.prefix}{path}", {**host, **headers}, self.tls)

    def log_in(self, name: str, password: str) -> dict[str, str]:
        answer = self.send_login(name, password)
        assert answer.status == 200, answer.body
        return {"Cookie": "; ".join(f"{cookie}={value}" for cookie, value in answer.cookies.items())}

    def send_login(self, name: str, password: str) -> Answer:
        form = urlencode({"username": name, "password": password})
        return self.request("POST", "/login", {"Content-Type": "application/x-www-form-urlencoded"}, form)

    def page_token(self, headers: dict[str, str] | None = None) -> str:
        """What a browser finds in the tab's config."""
        answer = self.request("GET", "/config", headers)
        found = re.search(r'data-token=\\"([\w-]+)', answer.body.decode())
        assert found is not None, answer.body[:300]
        return found.group(1)

    def page_headers(self, cookie: dict[str, str] | None = None) -> dict[str, str]:
        """What the page's own requests carry."""
        return {**(cookie or {}), "X-Train-Lora-Token": self.page_token(cookie), "Origin": self.origin}

    def page_offer(self, cookie: dict[str, str] | None = None) -> dict[str, str]:
        """What the page's WebSocket carries."""
        offer = f"train-lora, train-lora.{self.page_token(cookie)}"
        return {**(cookie or {}), "Origin": self.origin, "Sec-WebSocket-Protocol": offer}
