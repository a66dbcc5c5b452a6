"""A small extension that is set up by the real Node, npm, pip and tools/build.mjs, without a network."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
sys.path[:0] = [str(HERE), str(REPOSITORY / "extension"), str(REPOSITORY / "test" / "fixtures")]

import pytest  # noqa: E402 - these stand beside the path that was just set
from small_extension import SmallExtension  # noqa: E402


@pytest.fixture
def extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallExtension:
    """A small extension and an empty home, with npm's cache in the test's own folder and no registry to be reached."""
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm-cache"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.delenv("TRAIN_LORA_VENV", raising=False)
    return SmallExtension(tmp_path)
