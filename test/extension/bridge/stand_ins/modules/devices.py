def torch_gc():
    pass


class NansException(Exception):
    pass
