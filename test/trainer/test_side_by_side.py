"""Threads that compute alone."""

import torch

from trainer.side_by_side import lone_threads, side_by_side


def test_lone_threads_stay_alone_and_the_others_keep_their_count() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with lone_threads(2, "first") as pool:
            list(pool.map(lambda _: None, range(2)))
            with side_by_side(2, "second") as other:
                assert list(other.map(lambda _: torch.get_num_threads(), range(2))) == [1, 1]
            assert list(pool.map(lambda _: torch.get_num_threads(), range(2))) == [1, 1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
