"""Of more events than may pass, those that do are spread evenly and always the same, for whoever thins them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop import BadInput
from neuroloop.sensors.thinning import thinned
from neuroloop.types import EVENT


def numbered(n: int) -> np.ndarray:
    events = np.zeros(n, EVENT)
    events["t_us"] = np.arange(n)
    return events


@given(n=st.integers(0, 500), most=st.integers(0, 600))
@settings(deadline=None, derandomize=True)
def test_as_many_pass_as_may_and_every_stretch_loses_its_share(n: int, most: int) -> None:
    chosen = thinned(numbered(n), most)["t_us"].tolist()
    assert chosen == [j for j in range(n) if n <= most or (j + 1) * most // n > j * most // n]
    assert len(chosen) == min(n, most)
    for j in range(0, n + 1, 7):  # of the first j events, j × most / n pass, rounded down
        assert sum(one < j for one in chosen) == (j if n <= most else j * most // n)


def test_nothing_is_copied_where_all_may_pass() -> None:
    events = numbered(5)
    assert thinned(events, 5) is events
    with pytest.raises(BadInput, match=r"^most_events: must be at least 0"):
        thinned(events, -1)
