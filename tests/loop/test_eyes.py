"""An agent's file brings an event camera to its environment."""

from typing import Any

import gymnasium
import numpy as np
import pytest

import neuroloop
from neuroloop import BadInput, EventCameraWrapper
from neuroloop.config import part
from neuroloop.loop.plant import make_env
from neuroloop.settings import PlantConfig

SIZE = [32, 20]


def plant(**camera: Any) -> PlantConfig:
    table = {"env": "CartPole-v1", "event_camera": {"size": SIZE, **camera}}
    config: PlantConfig = part(table, PlantConfig, "plant")
    return config


def wrappers(env: gymnasium.Env[Any, Any]) -> list[str]:
    found = []
    while isinstance(env, gymnasium.Wrapper):
        found.append(type(env).__name__)
        env = env.env
    return found


def test_what_the_file_says_equals_the_wrappers_by_hand() -> None:
    told = make_env(plant(pixel="noisy", seed=3, frames={"kind": "traces", "cell": [4, 4], "tau": 0.1}))
    bare = gymnasium.make("CartPole-v1", render_mode="rgb_array")
    camera = EventCameraWrapper(bare, pixel="noisy", size=(32, 20), only=True, seed=3)
    made = neuroloop.EventFrames(camera, "traces", cell=(4, 4), tau=0.1, dtype="float32")
    assert told.observation_space == made.observation_space
    for env in (told, made):
        env.reset(seed=1)
    for k in range(5):
        assert np.array_equal(told.step(k % 2)[0], made.step(k % 2)[0])
    told.close()
    made.close()


def test_packets_can_be_had_beside_the_observation() -> None:
    env = make_env(plant(only=False))
    assert set(env.reset(seed=0)[0]) == {"observation", "events"}
    env.close()


def test_an_environment_that_has_its_camera_gets_no_second_one() -> None:
    agent = neuroloop.load_agent(
        "default",
        "CartPole-v1",
        overrides=["encoder.modules=8", f'plant.event_camera={{size={SIZE}, frames={{kind="traces"}}}}'],
    )
    assert wrappers(agent.env).count("EventCameraWrapper") == 1
    again = neuroloop.Agent(agent.config, agent.env, 0, "again")
    assert wrappers(again.env).count("EventCameraWrapper") == 1
    agent.close()


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        ({"pixel": "clea"}, "did you mean 'clean'"),
        ({"key": "front"}, "plant.event_camera: key"),
        ({"frames": {"kind": "counts", "region": [0, 0, 4, 4]}}, "region: is for traces"),
        ({"frames": {"kind": "traces", "region": [0, 0, 40, 4]}}, "region: must lie within 32 x 20"),
    ],
)
def test_a_wrong_camera_is_refused_by_its_path(camera: dict[str, Any], message: str) -> None:
    with pytest.raises(
        BadInput, match=rf"plant\.event_camera.*{message}" if not message.startswith("plant") else message
    ):
        make_env(plant(**camera))


def test_a_vector_environment_has_no_place_for_it() -> None:
    envs = gymnasium.make_vec("CartPole-v1", num_envs=2)
    with pytest.raises(BadInput, match=r"plant\.event_camera: stands in front of single environments"):
        neuroloop.load_agents("default", envs, [0, 1], overrides=[f"plant.event_camera={{size={SIZE}}}"])
    envs.close()
