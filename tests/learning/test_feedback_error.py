"""Feedback-error learning: the innate controller drives the plant and teaches the network, which takes over."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from numpy.typing import NDArray

import neuroloop
from neuroloop import ConfigError

TAUGHT = """
[clock]
period = 0.02
n_steps = 20
[encoder]
kind = "gaussian"
on = ["[2:4]"]
[population.motor]
n_per_action = 10
tau_mem = 0.01
bias = 1.5
bias_spread = 0.5
reset = "never"
[projection.command]
pre = "encoder"
post = "motor"
bounds = [-2.0, 2.0]
plasticity = { kind = "pes", gain = 0.1 }
[decoder]
kind = "rate"
population = "motor"
noise = 0.0
[learner]
kind = "feedback-error"
modulates = ["command"]
[learner.feedback.position]
on = ["[0:2]"]
gain = 2.0
"""


class Drift(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """Two points that a drift moves, each in its own way; velocities should hold them at 0. Observed: errors, and the phase."""

    dt = 0.02
    observation_space = spaces.Box(-2.0, 2.0, (4,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.x, self.t = np.zeros(2), 0
        return self.observe(), {}

    def observe(self) -> NDArray[np.float32]:
        phase = 2.0 * np.pi * self.t / 100.0
        return np.concatenate([-self.x, [np.sin(phase), np.cos(phase)]]).clip(-2.0, 2.0).astype(np.float32)

    def step(self, action: NDArray[np.float32]) -> Any:
        phase = 2.0 * np.pi * self.t / 100.0
        self.x += 0.1 * (action + 0.6 * np.array([np.sin(phase), np.cos(2.0 * phase)]))
        self.t += 1
        return self.observe(), -float(np.abs(self.x).mean()), False, self.t >= 300, {}


def agent_of(tmp_path: Path, *overrides: str, seed: int = 0) -> neuroloop.Agent:
    path = tmp_path / "taught.toml"
    path.write_text(TAUGHT)
    return neuroloop.load_agent(path, Drift(), seed, overrides)


def errors(agent: neuroloop.Agent) -> NDArray[np.float64]:
    """Mean distance from 0, of each episode."""
    return -np.array(agent.progress.returns) / 300.0


@pytest.mark.parametrize("rule", ["pes", "r-stdp"])
@pytest.mark.parametrize("cells", ["gaussian", "conjunctive"])
def test_the_network_takes_over_from_the_reflex(tmp_path: Path, rule: str, cells: str) -> None:
    plasticity = f'projection.command.plasticity={{kind="{rule}", gain=0.05}}'
    agent = agent_of(tmp_path, plasticity, f"encoder.kind={cells}")
    agent.learn(total_steps=4500)
    reflex = agent_of(tmp_path, 'projection.command.plasticity={kind="pes", gain=0.0}', f"encoder.kind={cells}")
    reflex.learn(total_steps=900)
    assert errors(reflex).min() > 0.15  # what the reflex alone leaves: drift over gain
    assert errors(agent)[-1] < 0.1 * errors(reflex)[-1]  # a tenth; 0.02 to 0.04 of it where we tried


def test_without_its_reflex_the_network_still_learns_from_the_teacher(tmp_path: Path) -> None:
    agent = agent_of(tmp_path, "learner.reflex=false", 'projection.command.plasticity={kind="pes", gain=0.02}')
    agent.learn(total_steps=9000)
    idle = agent_of(tmp_path, "learner.reflex=false", 'projection.command.plasticity={kind="pes", gain=0.0}')
    idle.learn(total_steps=900)
    assert errors(agent)[-1] < 0.3 * errors(idle)[-1]


def test_weights_change_by_error_times_trace_and_groups_that_pull_down_learn_the_opposite(tmp_path: Path) -> None:
    agent = agent_of(tmp_path, "learner.feedback.position.gain=[2.0, -1.0]", "learner.dead_zone=0.05")
    agent.learn(total_steps=100)
    network, env = agent.controller.network, agent.env.unwrapped
    for d, gain in enumerate((2.0, -1.0)):
        name = f"projection.command[{d}]"
        before, eligibility = (network.view(f"{name}.{what}").copy() for what in ("weights", "eligibility"))
        usual = float(network.view(f"{name}.usual_pairing")[0])
        observation, reward = env.observe(), 0.0
        rest = agent.controller.state()
        agent.controller.act(observation, reward, first=False)
        error = float(np.clip(gain * observation[d], -1.0, 1.0))
        error = error if abs(error) > 0.05 else 0.0
        expected = np.clip(before + np.float32(0.1 / usual) * error * eligibility, -2.0, 2.0)
        np.testing.assert_allclose(network.view(f"{name}.weights"), expected, atol=1e-6)
        np.testing.assert_array_equal(eligibility[:, :10], -eligibility[:, 10:])
        assert eligibility.any()
        agent.controller.restore(rest)


def test_predictions_keep_the_reflex_and_change_nothing(tmp_path: Path) -> None:
    agent = agent_of(tmp_path, 'projection.command.plasticity={kind="pes", gain=0.0}')
    action, _ = agent.predict(np.array([0.3, -0.2, 0.0, 1.0], np.float32))
    still, _ = agent.predict(np.array([0.0, 0.0, 0.0, 1.0], np.float32))
    np.testing.assert_allclose(action - still, [0.6, -0.4], atol=1e-6)


def test_a_run_that_was_saved_goes_on_bit_for_bit(tmp_path: Path) -> None:
    straight, broken = agent_of(tmp_path), agent_of(tmp_path)
    straight.learn(total_steps=1000)
    broken.learn(total_steps=450)
    resumed = neuroloop.Agent.load(broken.save(tmp_path / "half.zip"), Drift())
    resumed.learn(total_steps=550)
    assert resumed.progress.returns == straight.progress.returns
    for d in range(2):
        name = f"projection.command[{d}].weights"
        np.testing.assert_array_equal(resumed.controller.network.view(name), straight.controller.network.view(name))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            'learner.feedback.position.on=["[0:3]"]',
            r"learner\.feedback\.position\.on: must name one reading for each of 2",
        ),
        ('learner.feedback.position.on=["positions"]', r"learner\.feedback\.position\.on: unknown key 'positions'"),
        ("learner.feedback.position.gain=[1.0]", r"learner\.feedback\.position\.gain: must be one number or 2"),
        ("learner.feedback={}", r"learner\.feedback: is empty"),
        ("decoder.kind=winner-take-all", r"decoder\.kind: feedback-error learning needs 'rate'"),
        ('projection.command.plasticity={kind="r-stdp", gain=1.0, predictive=true}', "are for rewards"),
        ('projection.command.plasticity={kind="e-prop", gain=1.0}', "takes 'pes' or 'r-stdp'"),
        ('learner={kind="r-stdp", modulates=["command"]}', "'pes' needs learner.kind = 'feedback-error'"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_path(tmp_path: Path, override: str, message: str) -> None:
    overrides = ['decoder={kind="winner-take-all", population="motor"}'] if "winner" in override else [override]
    with pytest.raises(ConfigError, match=message):
        agent_of(tmp_path, *overrides)


def test_who_explores_must_have_noise_where_rewards_teach(tmp_path: Path) -> None:
    rewarded = (
        'projection.command.plasticity={kind="r-stdp", gain=1.0}',
        'learner={kind="r-stdp", modulates=["command"]}',
    )
    with pytest.raises(ConfigError, match=r"decoder\.noise: must be > 0"):
        agent_of(tmp_path, *rewarded)


def test_a_delay_lets_traces_wait_for_the_error_they_caused(tmp_path: Path) -> None:
    """The eligibility that an error meets is the one that it would have met so many control steps before without a delay."""
    found = {}
    for delay in (0, 3):
        plasticity = f'projection.command.plasticity={{kind="pes", gain=0.0, delay={delay}}}'
        agent, kept = agent_of(tmp_path, plasticity), []
        network, env = agent.controller.network, agent.env.unwrapped
        for _ in range(12):
            agent.learn(total_steps=1)
            kept.append(network.view("projection.command[0].eligibility").copy())
        assert isinstance(env, Drift)
        found[delay] = np.array(kept)
    np.testing.assert_array_equal(found[3][:3], 0.0)
    np.testing.assert_array_equal(found[3][3:], found[0][:-3])
    assert found[0].any()


def test_a_leak_takes_its_share_of_every_weight(tmp_path: Path) -> None:
    plasticity = 'projection.command.plasticity={kind="pes", gain=0.0, leak=0.1}'
    agent = agent_of(tmp_path, plasticity, "projection.command.weights=1.0")
    agent.learn(total_steps=11)  # the first control step has nothing to learn from
    weights = agent.controller.network.view("projection.command[0].weights")
    np.testing.assert_allclose(weights, 0.9 ** np.round(np.log(weights) / np.log(0.9)), rtol=1e-5)
    assert 0.9**12 < weights.mean() < 0.9**9


@pytest.mark.parametrize("setting", ["delay=1", "leak=0.1"])
def test_cells_refuse_what_they_do_not_have(tmp_path: Path, setting: str) -> None:
    with pytest.raises(ConfigError, match=r"conjunctive cells have no delay and no leak"):
        agent_of(
            tmp_path, f'projection.command.plasticity={{kind="pes", gain=0.1, {setting}}}', "encoder.kind=conjunctive"
        )
