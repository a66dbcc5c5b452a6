"""
The WebUI's side of the bridge to the server of Train LoRA. Its state lives here: the package survives "Reload UI".

`start(address)` and `stop()` for the connection, `model_loaded()` for on_model_loaded, `register_axes()` for
on_before_ui.
"""

from __future__ import annotations

from .axes import register_axes
from .host_connection import Address, HostConnection

_connection = HostConnection()


def start(address: Address) -> None:
    """
    Keeps a connection with the server from now on. `address()` gives (port, secret), or None while no server runs; it
    is called in the connection's own thread before each attempt. Call it at each on_app_started; a second call only
    refreshes the facts.
    """
    _connection.start(address)


def stop() -> None:
    """Drops the connection: leases go back, our drawing ends. Takes at most two seconds. Not needed for "Reload UI"."""
    _connection.stop()


def model_loaded() -> None:
    """A checkpoint was loaded. Returns at once, never raises."""
    _connection.model_loaded()


def is_connected() -> bool:
    """True while the server hears this WebUI."""
    return _connection.is_connected()


__all__ = ["is_connected", "model_loaded", "register_axes", "start", "stop"]
