"""STUDY.toml: what is read, and every mistake named with its path."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from neuroloop.agent import agents
from neuroloop.errors import BadInput
from neuroloop.evaluation.sweep_settings import Study, read
from neuroloop.settings import Conjunctive, SpikingConfig

GOOD = """
agent = "default"
trials = 10

[env.CartPole-v1]
steps = 1000

[search]
learner.gamma = { low = 0.9, high = 0.99 }
"""
Write = Callable[[str], Path]


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Study]:
    """Reads GOOD with replacements."""

    def make(*changes: tuple[str, str]) -> Study:
        text = GOOD
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "study.toml").write_text(text)
        return read(tmp_path / "study.toml")

    return make


def test_dotted_and_quoted_settings_are_the_same(study: Callable[..., Study]) -> None:
    plain = study()
    quoted = study(("learner.gamma =", '"learner.gamma" ='))
    assert plain.settings == quoted.settings
    assert list(plain.settings.search) == ["learner.gamma"]


def test_an_agent_beside_the_study_comes_before_a_ready_made_one(study: Callable[..., Study], tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(agents()["default"].read_text().replace("n = 200", "n = 33"))
    made = study(('"default"', '"mine.toml"\nset = ["encoder.modules=12"]'))
    assert isinstance(made.base, SpikingConfig)
    assert isinstance(made.base.encoder, Conjunctive)
    assert (made.agent, made.base.population["critic"].n, made.base.encoder.modules) == ("mine", 33, 12)


def test_an_environment_keeps_the_agents_arguments_and_criterion_only_if_it_is_the_agents_own(
    study: Callable[..., Study],
) -> None:
    own = ["plant.criterion=100.0", "plant.arguments.sutton_barto_reward=true", "encoder.normalise={kind='adaptive'}"]
    made = study(
        ('"default"', f'"cartpole"\nset = {own}'),
        ("[search]", "[env.Acrobot-v1]\nsteps = 5\ncriterion = -120.0\n[search]"),
    )
    own, other = (made.agent_of([], env_id).plant for env_id in ("CartPole-v1", "Acrobot-v1"))
    assert (own.criterion, own.arguments) == (100.0, {"sutton_barto_reward": True})
    assert (other.criterion, other.arguments) == (-120.0, {})


def test_a_grid_counts_its_own_trials(study: Callable[..., Study]) -> None:
    made = study(("trials = 10", 'sampler = "grid"'), ("high = 0.99", "high = 0.99, points = 7"))
    assert made.trials == 7


GAMMA = "{ low = 0.9, high = 0.99 }"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("trials", "trails", "trails: unknown key 'trails': did you mean 'trials'?"),
        ("trials = 10", "", "trials: is missing"),
        ("trials = 10", "trials = 0", "trials: Expected `int` >= 1, got 0"),
        ("trials = 10", 'trials = 10\nsampler = "grid"', "trials: a grid has its own number"),
        ("trials = 10", 'trials = 10\nsampler = "tpee"', "sampler: unknown value 'tpee': did you mean 'tpe'?"),
        ("trials = 10", 'trials = 10\npruner = "median"\nseeds = 1', "pruner: 'median' compares trials between their seeds"),
        ("trials = 10", "trials = 10\nseeds = 0", "seeds: Expected `int` >= 1, got 0"),
        ("trials = 10", "trials = 10\nfirst_seed = 5998", "first_seed: seeds from 6000 on are kept for figures to report"),
        ("trials = 10", "trials = 10\nfirst_seed = 8000", "8000 with 3 seeds goes up to 8002"),
        ('"default"', '"defualt"', "unknown agent 'defualt': did you mean 'default'?"),
        ('"default"', '"mine.toml"', "mine.toml: no such file"),
        ('"default"', '"default"\nset = ["learner.gama=0.9"]', "learner.gama: unknown key 'gama': did you mean 'gamma'?"),
        ('"default"', '"default"\nset = ["learner"]', "expected key=value"),
        ("[env.CartPole-v1]\nsteps = 1000", "env = {}", "env: names no environment"),
        ("[env.CartPole-v1]\nsteps = 1000", "", "env: is missing"),
        ("steps = 1000", "", "env.CartPole-v1.steps: is missing"),
        ("steps = 1000", "steps = 1e3", "env.CartPole-v1.steps: Expected `int`, got `float`"),
        ("steps = 1000", "step = 1000", "env.CartPole-v1.step: unknown key 'step': did you mean 'steps'?"),
        ("steps = 1000", "steps = 9\nscale = [3, 2]", "env.CartPole-v1.scale: the return that counts as 0 must be below"),
        ("CartPole-v1", "CartPole-v9", "env.CartPole-v9: "),
        ("CartPole-v1", "'nowhere:Env-v0'", "env.nowhere:Env-v0: "),
        ("CartPole-v1", "Pendulum-v1", "env.Pendulum-v1.criterion: is missing: the environment names none"),
        ("[search]", '[env.Acrobot-v1]\nsteps = 9\n[objective]\nkind = "final"\n[search]', "env.CartPole-v1.scale: is missing"),
        ("[search]", '[objective]\nkind = "finall"\n[search]', "objective.kind: unknown value 'finall': did you mean 'final'?"),
        ("[search]", "[objective]\npenalty = -1.0\n[search]", "objective.penalty: Expected `float` >= 0"),
        (f"learner.gamma = {GAMMA}", "", "search: names no setting"),
        ("learner.gamma", "learner.gama", "search.learner.gama: unknown setting 'gama': did you mean 'gamma'? in learner"),
        ("learner.gamma", "projection.polcy.gain", "search.projection.polcy.gain: unknown setting 'polcy': did you mean"),
        ("learner.gamma", "learner.gamma.more", "search.learner.gamma.more: learner.gamma is a value, not a table"),
        ("learner.gamma", "plant.criterion.more", "search.plant.criterion.more: plant.criterion is absent in this agent"),
        ("learner.gamma", "learner.error", "search.learner.error: is \"normalised\" in this agent, not a number; give choices"),
        ("learner.gamma", "encoder.modules", "search.encoder.modules: Expected `int | str`, got"),
        ("high = 0.99", "high = 1.5", "search.learner.gamma: Expected `float` <= 1.0"),
        ("high = 0.99", "high = 0.9", "search.learner.gamma: low must be below high, got 0.9 and 0.9"),
        ("high = 0.99", "hihg = 0.99", "search.learner.gamma.hihg: unknown key 'hihg': did you mean 'high'?"),
        (", high = 0.99", "", "search.learner.gamma.high: is missing; or give choices"),
        ("low = 0.9, high = 0.99", "", "search.learner.gamma.low: is missing; or give choices"),
        ("high = 0.99", "high = nan", "search.learner.gamma.high: must be finite"),
        ("low = 0.9", 'low = "a"', "search.learner.gamma.low: Expected `int | float | null`, got `str`"),
        ("low = 0.9", "log = true, low = 0.0", "search.learner.gamma.low: must be above 0 with log = true"),
        ("high = 0.99", "high = 0.99, choices = [1, 2]", "search.learner.gamma: has choices, so it takes no low, high"),
        (GAMMA, "{ choices = [0.9] }", "search.learner.gamma.choices: Expected `array` of length >= 2"),
        (GAMMA, "{ choices = [0.9, 0.9] }", "search.learner.gamma.choices: names a value twice"),
        (GAMMA, "{ choices = [0.9, 'x'] }", "search.learner.gamma: Expected `float`, got `str`"),
        (GAMMA, "0.9", "search.learner.gamma: expected a table, got 0.9"),
        (GAMMA, "[0.9, 0.99]", "search.learner.gamma: expected a table, got [0.9, 0.99]"),
        ("trials = 10", 'sampler = "grid"', "search.learner.gamma.points: is missing; a grid needs to know"),
        ("trials", "trials =", "not a TOML file"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_path(study: Callable[..., Study], old: str, new: str, says: str) -> None:
    with pytest.raises(BadInput, match=r"study\.toml: ") as caught:
        study((old, new))
    assert re.search(re.escape(says), str(caught.value)), str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere\.toml: cannot be read: No such file"):
        read(tmp_path / "nowhere.toml")
    with pytest.raises(BadInput, match="cannot be read: Is a directory"):
        read(tmp_path)
