"""Real npm and real pip against nobody, and against a proxy that wants a password."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from small_extension import SmallExtension, path_without

NOBODY = "http://127.0.0.1:9/"


class RefusingProxy(BaseHTTPRequestHandler):
    def refuse(self) -> None:
        self.send_response(407, "Proxy Authentication Required")
        self.send_header("Proxy-Authenticate", 'Basic realm="office"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_CONNECT = refuse

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), RefusingProxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://anna:s3cret@127.0.0.1:{server.server_port}"
    server.shutdown()


def test_npm_without_a_network_is_told_as_that_and_goes_on_later(extension: SmallExtension) -> None:
    extension.want_from_registry("not-there")
    state = extension.run()
    assert (state["failure"]["code"], state["failure"]["step"]) == ("no_internet", "packages")
    assert "ECONNREFUSED" in state["failure"]["details"]
    assert state["steps"][0]["status"] == "failed"


def test_npm_behind_a_proxy_that_refuses_is_told_without_its_password(
    extension: SmallExtension, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    extension.want_from_registry("not-there")
    monkeypatch.setenv("npm_config_registry", "https://registry.invalid/")
    monkeypatch.setenv("npm_config_noproxy", "")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "npm_config_proxy", "npm_config_https_proxy"):
        monkeypatch.setenv(name, proxy)
    failure = extension.run()["failure"]
    assert failure["code"] == "proxy_refused", failure
    assert "s3cret" not in str(failure) + "\n".join(extension.lines())
    assert "s3cret" not in (extension.home / "setup.log").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "value", "code"), [("PIP_INDEX_URL", NOBODY, "no_internet"), ("PIP_PROXY", None, "proxy_refused")]
)
def test_pip_without_a_network_is_told_as_that(
    extension: SmallExtension, proxy: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str | None, code: str
) -> None:
    monkeypatch.setenv("PATH", path_without("node"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    monkeypatch.setenv(name, value or proxy)
    failure = extension.run(private_node=True)["failure"]
    assert (failure["code"], failure["step"]) == (code, "node"), failure
    assert "s3cret" not in str(failure) + "\n".join(extension.lines())
