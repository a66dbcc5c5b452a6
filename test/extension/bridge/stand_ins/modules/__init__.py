# The signatures are those of the WebUI.
"""Stand-ins for the parts of A1111 1.10.1 that the bridge touches: the same names, rules and traps, without torch."""
