"""Is "Reload UI" waiting for us?"""

from __future__ import annotations


def reload_is_blocked() -> bool:
    """
    True while the WebUI closes its web server. It then waits for each request that is under way, and one that stands in
    line behind our lease would let it wait for as long as the training takes.
    """
    try:
        from modules import shared

        server = getattr(getattr(shared, "demo", None), "server", None)
        return bool(getattr(server, "should_exit", False))
    except ImportError:
        return False
