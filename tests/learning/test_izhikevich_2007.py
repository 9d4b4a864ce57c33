"""Dopamine that comes seconds late finds the synapse that earned it, in a network that fires all the while.

A tenth of the paper's network for a quarter of its hour, where chance still matters: not every seed gets there in time. The
script runs the paper's own size.
"""

from __future__ import annotations

import pytest

from recordings.reproductions.izhikevich_2007 import MOST, Result, Size, reinforce

SMALL = Size(excitatory=80, inhibitory=20, synapses=20)


@pytest.fixture(scope="module")
def earned() -> Result:
    return reinforce(800, seed=1, size=SMALL)


@pytest.fixture(scope="module")
def by_chance() -> Result:
    return reinforce(800, seed=1, size=SMALL, contingent=False)


def test_the_synapse_that_earns_dopamine_becomes_one_of_the_strongest(earned: Result) -> None:
    assert earned.chosen[0] < 0.1, "it begins at zero"
    assert earned.chosen[-1] >= 0.9 * MOST
    assert (earned.others >= earned.chosen[-1]).mean() <= 0.01
    assert earned.others.mean() < 1.0, "the others do not rise with it"


def test_dopamine_at_times_drawn_at_random_does_not_strengthen_it(earned: Result, by_chance: Result) -> None:
    assert len(by_chance.rewards) >= 0.4 * len(earned.rewards)
    assert by_chance.chosen[-60:].mean() <= 0.4 * MOST


def test_the_network_fires_irregularly_at_a_few_hertz(earned: Result) -> None:
    assert 1.0 < earned.rate < 5.0
