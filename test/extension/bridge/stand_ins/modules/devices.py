# The signatures are those of the WebUI.
def torch_gc() -> None:
    pass


class NansException(Exception):
    pass
