"""How LoKr splits the side of a weight in two."""


def factorization(dimension: int, factor: int = -1) -> tuple[int, int]:
    """Two whole numbers whose product is `dimension`, the smaller one first (LyCORIS' `factorization`).

    A factor that divides the dimension is one of them; else they are the nearest to each other with the smaller one
    not above `factor`, -1: without a bound.
    """
    if factor > 0 and dimension % factor == 0:
        return min(factor, dimension // factor), max(factor, dimension // factor)
    bound = dimension if factor < 0 else factor
    best = (1, dimension)
    for first in range(2, bound + 1):
        if first * first > dimension:
            break
        if dimension % first == 0:
            best = (first, dimension // first)
    return best
