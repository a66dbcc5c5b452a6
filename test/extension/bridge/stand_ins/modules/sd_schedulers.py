# The signatures are those of the WebUI.
from types import SimpleNamespace

schedulers = [SimpleNamespace(name=label.lower(), label=label) for label in ("Automatic", "Karras", "Exponential")]
