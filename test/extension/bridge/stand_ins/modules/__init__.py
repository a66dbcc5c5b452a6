# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, ANN204, PTH103, PTH118, PTH119, PTH122, PTH123, PTH208
# The signatures are those of the WebUI.
"""Stand-ins for the parts of A1111 1.10.1 that the bridge touches: the same names, rules and traps, without torch."""
