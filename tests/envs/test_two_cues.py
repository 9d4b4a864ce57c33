"""TwoCues-v0 pays exactly `delay` ticks late, and its best return is what it says."""

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import error
from gymnasium.utils.env_checker import check_env
from neuroloop_envs.two_cues import BLANK, TwoCues

ID = "neuroloop_envs:neuroloop/TwoCues-v0"


def play(env: TwoCues, answer: Any, seed: int) -> tuple[list[int], list[float]]:
    """The symbols an episode showed (its last, unanswered one left out) and the rewards it paid."""
    observation, _ = env.reset(seed=seed)
    symbols, rewards, over = [], [], False
    while not over:
        symbols.append(int(observation.argmax()))
        observation, reward, over, truncated, _ = env.step(answer(symbols[-1]))
        rewards.append(reward)
        assert not truncated
        assert sorted(observation) == [0, 0, 1]
    return symbols, rewards


def name_the_cue(symbol: int) -> int:
    return symbol % 2  # at blank ticks the answer is 0, and does not matter


@pytest.mark.parametrize("delay", [0, 3])
def test_both_checkers_pass_without_a_warning(delay: int) -> None:
    env = gymnasium.make(ID, delay=delay)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
        sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
        sb3.check_env(env.unwrapped)


@pytest.mark.parametrize("delay", [0, 1, 5])
def test_the_reward_comes_delay_ticks_after_the_answer_and_at_no_other_tick(delay: int) -> None:
    symbols, rewards = play(TwoCues(delay, trials=20), name_the_cue, seed=1)
    trial = 1 + delay
    assert len(rewards) == 20 * trial
    assert all((symbol == BLANK) == (tick % trial > 0) for tick, symbol in enumerate(symbols))
    assert all(reward == (tick % trial == delay) for tick, reward in enumerate(rewards))


@pytest.mark.parametrize("delay", [0, 4])
def test_the_best_return_is_the_number_of_trials_and_the_worst_its_negative(delay: int) -> None:
    env = TwoCues(delay)
    assert sum(play(env, name_the_cue, seed=2)[1]) == 50
    assert sum(play(env, lambda symbol: 1 - name_the_cue(symbol), seed=2)[1]) == -50


def test_guessing_earns_nothing() -> None:
    rng = np.random.default_rng(0)
    _, rewards = play(TwoCues(trials=10_000), lambda symbol: rng.integers(2), seed=3)
    assert abs(sum(rewards)) < 400  # four standard deviations of 10 000 fair guesses


def test_answers_at_blank_ticks_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    env = TwoCues(delay=3)
    _, rewards = play(env, lambda s: rng.integers(2) if s == BLANK else s, seed=4)
    assert sum(rewards) == env.trials


def test_cues_follow_from_the_seed_alone() -> None:
    def cues(delay: int, answer: Any, seed: int) -> list[int]:
        env = TwoCues(delay)
        play(env, name_the_cue, seed=99)  # a history
        env.reset()
        env.step(np.int64(1))
        return [symbol for symbol in play(env, answer, seed)[0] if symbol != BLANK]

    expected = cues(0, name_the_cue, 7)
    assert cues(0, lambda symbol: 0, 7) == expected
    assert cues(4, name_the_cue, 7) == expected
    assert cues(0, name_the_cue, 8) != expected


def test_cues_are_fair_and_independent() -> None:
    symbols = np.array(play(TwoCues(trials=10_000), name_the_cue, seed=5)[0])
    # Four standard deviations of 10 000 fair draws.
    assert abs(symbols.mean() - 0.5) < 0.02
    assert abs((symbols[1:] == symbols[:-1]).mean() - 0.5) < 0.02


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"delay": -1}, r"TwoCues\.delay: must be >= 0, got -1"),
        ({"delay": 1.5}, r"TwoCues\.delay: must be an integer, got 1\.5"),
        ({"trials": 0}, r"TwoCues\.trials: must be >= 1, got 0"),
    ],
)
def test_impossible_arguments_are_refused(kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TwoCues(**kwargs)


def test_bad_calls_are_refused() -> None:
    env = TwoCues(trials=1)
    with pytest.raises(error.ResetNeeded):
        env.step(np.int64(0))
    env.reset(seed=0)
    with pytest.raises(error.InvalidAction, match="must be 0 or 1, got 2"):
        env.step(np.int64(2))
    assert env.step(np.int64(0))[2]
    with pytest.raises(error.ResetNeeded):
        env.step(np.int64(0))
