"""An agent's file: what goes in comes out, and whatever is wrong is named by its whole path."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop import config
from neuroloop.agent import agents, read_config
from neuroloop.errors import BadInput, ConfigError
from neuroloop.settings import Conjunctive, Fixed, SpikingConfig

CARTPOLE = agents()["cartpole"]


def refusal(*overrides: str) -> str:
    """The message with which the settings are refused."""
    with pytest.raises(ConfigError) as caught:
        config.read(CARTPOLE, overrides)
    return str(caught.value)


@pytest.mark.parametrize("name", agents())
def test_every_ready_made_agent_comes_back_from_its_own_toml(name: str) -> None:
    read = config.read(agents()[name])
    assert config.from_dict(tomllib.loads(config.to_toml(read))) == read


def test_a_setting_of_every_type_can_be_overridden_and_comes_back() -> None:
    changed = config.read(
        CARTPOLE,
        [
            "about=two words",
            "learner.gamma=0.5",
            "population.critic.n=7",
            "population.actor.reset=never",
            "projection.value.bounds=[-1, 1.5]",
            "projection.value.plasticity.lambda=0.25",
            "projection.value.plasticity.trace=accumulating",
            "learner.value_range='automatic'",
            "warm_up.decisions=10",
            "encoder.tiles=[3,4]",
            'encoder.normalise={kind="fixed",low=[0],high=[1]}',
            "plant.arguments.sutton_barto_reward=true",
            "plant.criterion=100",
        ],
    )
    assert isinstance(changed, SpikingConfig)
    assert changed.about == "two words"
    assert changed.learner.gamma == 0.5
    assert changed.population["critic"].n == 7
    assert changed.population["actor"].reset == "never"
    assert changed.projection["value"].bounds == (-1.0, 1.5)
    rule = changed.projection["value"].plasticity
    assert rule is not None
    assert (rule.decay, rule.trace) == (0.25, "accumulating")
    assert changed.learner.value_range == "automatic"
    assert isinstance(changed.encoder, Conjunctive)
    assert changed.encoder.tiles == (3, 4)
    assert changed.encoder.normalise == Fixed(low=(0.0,), high=(1.0,))
    assert changed.plant.arguments == {"sutton_barto_reward": True}
    assert changed.plant.criterion == 100.0
    assert config.from_dict(tomllib.loads(config.to_toml(changed))) == changed


def test_a_later_override_wins() -> None:
    changed = config.read(CARTPOLE, ["learner.gamma=0.1", "learner.gamma=0.2"])
    assert isinstance(changed, SpikingConfig)
    assert changed.learner.gamma == 0.2


@pytest.mark.parametrize(
    ("override", "path", "says"),
    [
        ("learner.gama=1", "learner.gama", "did you mean 'gamma'?"),
        ("projection.value.plasticity.gian=1", "projection.value.plasticity.gian", "did you mean 'gain'?"),
        ("projection.value.plasticity.gain=-1", "projection.value.plasticity.gain", ">= 0"),
        ("projection.value.plasticity.gain=true", "projection.value.plasticity.gain", "got `bool`"),
        ("projection.value.plasticity.kind=stdp", "projection.value.plasticity.kind", "did you mean 'r-stdp'?"),
        ("encoder.kind=gausian", "encoder.kind", "did you mean 'gaussian'?"),
        ("encoder.kind=[1]", "encoder.kind", "unknown kind"),
        ("encoder.normalise.kind=fxed", "encoder.normalise.kind", "did you mean 'fixed'?"),
        ("decoder.kind=softmax", "decoder.kind", "known: first-spike, leaky-integrator, linear"),
        ("learner.kind=ppo", "learner.kind", "unknown kind 'ppo'"),
        ("population.critic.kind=izhikevich", "population.critic.kind", "unknown kind 'izhikevich'"),
        ("kind=spikng", "kind", "did you mean 'spiking'?"),
        ("learner.gamma=nan", "learner.gamma", "finite"),
        ("learner.value_range=[-inf,0]", "learner.value_range", "finite"),
        ("learner.value_range=auto", "learner.value_range", "did you mean 'automatic'?"),
        ("learner.gamma=1.5", "learner.gamma", "<= 1"),
        ("learner.critic=critc", "learner.critic", "did you mean 'critic'?"),
        ("learner.modulates=[\"valu\"]", "learner.modulates", "did you mean 'value'?"),
        ("projection.value.pre=encodr", "projection.value.pre", "did you mean 'encoder'?"),
        ("projection.value.bounds=[1,-1]", "projection.value.bounds", "the lower must be below the upper"),
        ("projection.value.bounds=[1,2,3]", "projection.value.bounds", "length 2"),
        ("projection.value.plasticity.trace=fading", "projection.value.plasticity.trace", "unknown value 'fading'"),
        ("clock.n_steps=1.5", "clock.n_steps", "Expected `int`"),
        ("clock.n_steps=5", "decoder.decide_after", "less than clock.dt × clock.n_steps"),
        ("clock=3", "clock", "expected a table"),
        ("encoder=3", "encoder", "expected a table"),
        ("population=3", "population", "expected a table"),
        ("population.critic=3", "population.critic", "expected a table"),
        ("projection.value.plasticity=3", "projection.value.plasticity", "expected a table"),
        ("encoder.tiles=[]", "encoder.tiles", "is empty"),
        ("encoder.dimensions=[0.0]", "encoder.dimensions", "one of them must be > 0"),
        ("plant.criterion={mean=3}", "plant.criterion", "got"),
        ("reward.scale=1" + "0" * 400, "reward.scale", "out of range"),
        ("nonsense=1", "nonsense", "known: about, clock"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_by_its_whole_path(override: str, path: str, says: str) -> None:
    message = refusal(override)
    assert message.startswith(f"{path}: ")
    assert says in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("table", "key", "path"),
    [
        ("decoder", "population", "decoder.population"),
        ("learner", "critic", "learner.critic"),
        ("projection.policy", "post", "projection.policy.post"),
        ("projection.policy.plasticity", "gain", "projection.policy.plasticity.gain"),
    ],
)
def test_a_missing_key_is_named_by_its_whole_path(table: str, key: str, path: str) -> None:
    data = tomllib.loads(CARTPOLE.read_text())
    place: Any = data
    for name in table.split("."):
        place = place[name]
    del place[key]
    with pytest.raises(ConfigError, match=rf"^{path}: is missing$"):
        config.from_dict(data)


@pytest.mark.parametrize("override", ["", "learner", "=1", "learner..gamma=1", ".=1", " =1"])
def test_an_override_without_key_and_value_is_refused(override: str) -> None:
    assert "expected key=value" in refusal(override)


def test_an_override_into_a_value_is_refused() -> None:
    assert "learner.gamma is a value, not a table" in refusal("learner.gamma.more=1")


def test_an_override_that_no_file_could_hold_is_refused() -> None:
    assert "cannot be printed" in refusal("about=\udcff")  # what Python makes of an argument that is not UTF-8


def test_another_environment_leaves_arguments_and_criterion_behind(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        CARTPOLE.read_text().replace("[plant]", "[plant]\ncriterion = 50\narguments = {a = 1}\nmax_steps = 9")
    )
    moved = config.read(path, env="Acrobot-v1")
    assert (moved.plant.env, moved.plant.criterion, moved.plant.arguments) == ("Acrobot-v1", None, {})
    assert moved.plant.max_steps == 9
    assert config.read(path, env="CartPole-v1").plant.criterion == 50


@pytest.mark.parametrize(
    "content", [b"a = ", b"\xff\xfe", b"a = 1\na = 2", b"a = " + b"[" * 5000, b"a = " + b"9" * 5000]
)
def test_a_file_that_is_no_toml_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"mine\.toml: not a TOML file"):
        config.read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"mine\.toml: no such file"):
        read_config(tmp_path / "mine.toml")


@pytest.mark.parametrize("name", ["carpole", "mountain_car", "a" * 400, "a\0b", ""])
def test_an_unknown_agent_is_bad_input_whatever_its_name(name: str) -> None:
    with pytest.raises(BadInput, match="unknown agent"):
        read_config(name)


NAMES = st.sampled_from(
    ["kind", "plant", "env", "arguments", "clock", "dt", "n_steps", "encoder", "normalise", "low", "high", "population",
     "critic", "actor", "n", "n_per_action", "projection", "value", "pre", "post", "bounds", "plasticity", "gain", "lambda",
     "decoder", "learner", "modulates", "value_range", "gamma", "warm_up", "decisions", "tiles", "dimensions", "criterion"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["spiking", "random", "conjunctive", "gaussian", "lif", "r-stdp", "td", "fixed", "critic", "encoder"]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), WORDS, st.dates())
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(NAMES, st.text(max_size=4)), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(data=st.dictionaries(st.one_of(NAMES, st.text(max_size=4)), JUNK, max_size=5))
def test_junk_is_an_agent_or_a_config_error(data: dict[str, Any]) -> None:
    with contextlib.suppress(ConfigError):
        config.from_dict(data)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(path=st.lists(NAMES, min_size=1, max_size=4), value=JUNK)
def test_junk_anywhere_in_a_good_agent_is_accepted_or_a_config_error(path: list[str], value: Any) -> None:
    data = tomllib.loads(CARTPOLE.read_text())
    place = data
    for name in path[:-1]:
        inner = place.get(name)
        place[name] = place = inner if isinstance(inner, dict) else {}
    place[path[-1]] = value
    with contextlib.suppress(ConfigError):
        config.from_dict(data)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    override=st.one_of(
        st.text(max_size=30),
        st.builds(
            lambda names, value: ".".join(names) + "=" + value, st.lists(NAMES, min_size=1), st.text(max_size=12)
        ),
    )
)
def test_any_override_is_taken_or_a_config_error(override: str) -> None:
    with contextlib.suppress(ConfigError):
        config.read(CARTPOLE, [override])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(text=st.text(alphabet=st.sampled_from(list("abk=\"'[]{}.,#\n 019-_:\x00")), max_size=40))
def test_any_text_is_an_agent_or_a_config_error(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "junk.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):  # no text of these letters has the tables that an agent needs
        config.read(path)


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ('learner.modulates=["value"]', "learner.modulates"),
        ("population.critic.bias=50.0", "population.critic.bias"),
        ("population.actor.n=4", "population.actor"),
        ('learner.critic="actor"', "learner.critic"),
        ('projection.policy.plasticity.trace="replacing"', "projection.policy.plasticity.trace"),
        ("decoder.noise=0.0", "decoder.noise"),
        ("decoder.decide_after=0.0001", "decoder.decide_after"),
        ("clock.n_steps=1", "decoder.decide_after"),
        ("decoder.persistence=1.0", "decoder.persistence"),
        ("learner.drive_range=[2.5, 2.50001]", "learner.drive_range"),
        ("projection.value.bounds=[-1e39, 1e39]", "projection.value.bounds[0]"),
    ],
)
def test_a_setting_that_would_do_nothing_or_harm_is_refused(override: str, path: str) -> None:
    assert refusal(override).startswith(f"{path}: ")
