"""The walks of the model with more than three nodes: the rules count hosts, and must not count on three of them."""

from __future__ import annotations

import pytest

from core.model.walks import walk
from properties import share


@pytest.mark.parametrize(("size", "first", "walks"), [(4, 0, 30), (5, 0, 40), (9, 0, 12)])
def test_neither_a_commit_is_lost_nor_a_second_primary_formed(size: int, first: int, walks: int) -> None:
    for seed in range(first, first + share(walks)):
        walk(seed, size)
