"""An agent whose encoder is fed with event packets learns, is saved, and goes on bit for bit."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import neuroloop as nl

AGENT = """
[encoder]
kind = "events"
cell = [4, 5]
[population.actor]
n_per_action = 8
tau_mem = 0.005
bias = 2.0
bias_spread = 0.087
reset = "decision"
[projection.policy]
pre = "encoder"
post = "actor"
bounds = [-2.0, 2.0]
plasticity = { kind = "r-stdp", gain = 0.1, lambda = 0.0, predictive = true }
[decoder]
population = "actor"
[learner]
kind = "r-stdp"
modulates = ["policy"]
"""


@pytest.fixture
def agent_of(tmp_path, bars):
    """Makes an agent in front of the bars."""
    path = tmp_path / "bars.toml"
    path.write_text(AGENT)

    def make(seed=0, overrides=(), **changes):
        return nl.load_agent(path, nl.EventCameraWrapper(bars(), size=(16, 10), **changes), seed, overrides)

    return make


@pytest.mark.parametrize("seed", range(3))
def test_it_learns_which_side_the_events_are_on(agent_of, seed):
    agent = agent_of(seed)
    agent.learn(1500)
    returns = np.array(agent.progress.returns)
    assert returns[-8:].mean() > 28  # of 49; the mean of 8 random episodes is 0 ± 2.5
    assert agent.evaluate(3).mean() > 28


def test_where_no_event_is_seen_it_cannot(agent_of):
    agent = agent_of(0, ["encoder.regions=[[0, 0, 1, 10]]"])  # a column that no bar ever reaches
    agent.learn(1000)
    assert abs(np.mean(agent.progress.returns)) < 8


def test_saved_and_loaded_it_goes_on_as_if_it_had_never_stopped(agent_of, bars, tmp_path):
    straight, broken = agent_of(5), agent_of(5)
    straight.learn(230)
    broken.learn(110)  # in the middle of an episode
    path = broken.save(tmp_path / "bars.zip")
    again = nl.Agent.load(path, nl.EventCameraWrapper(bars(), size=(16, 10)))
    again.learn(120)
    assert again.progress.returns == straight.progress.returns
    before, after = straight._controller.state(), again._controller.state()
    assert before.keys() == after.keys()
    assert [name for name in before if not np.array_equal(before[name], after[name])] == []
    assert any(name.startswith("encoder/counts") for name in before)


def test_events_and_numbers_go_side_by_side(agent_of):
    agent = agent_of(
        1,
        [
            'encoder={ kind = "parts", part = { eye = { kind = "events", on = ["events"], cell = [4, 5] }, '
            'body = { kind = "gaussian", on = ["observation"] } } }'
        ],
    )
    agent.learn(60)
    assert agent.progress.steps == 60


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (['encoder.on=["evnts"]'], r"^encoder\.on: unknown key 'evnts': did you mean 'events'"),
        (['encoder.on=["observation"]'], "holds no event packets"),
        (["encoder.regions=[[0, 0, 20, 4]]"], r"^encoder\.regions\[0\]: reaches to \(20, 4\), outside the 16 × 10"),
        (["encoder.cell=[0, 1]"], r"^encoder\.cell\[0\]: Expected `int` >= 1"),
        (["encoder.polarity=onn"], r"^encoder\.polarity: unknown value 'onn': did you mean 'on'"),
        (
            ['encoder={ kind = "parts", part = { eye = { kind = "events", bins = [40, 1] } } }'],
            r"^encoder\.part\.eye\.bins: \[40, 1\] are more than the 16 × 10 pixels",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused_by_their_path(agent_of, overrides, message):
    with pytest.raises(nl.BadInput, match=message):
        agent_of(0, overrides)


def test_an_environment_that_breaks_its_promise_is_named(agent_of):
    class Backwards(gymnasium.Wrapper):
        def step(self, action):
            observation, *rest = self.env.step(action)
            return {**observation, "events": observation["events"][::-1]}, *rest

    agent = agent_of(0)
    agent = nl.Agent(agent.config, Backwards(agent.env), 0)
    with pytest.raises(nl.PlantError, match=r"observation.*\[\d+\]: events must be sorted by time"):
        agent.learn(20)
