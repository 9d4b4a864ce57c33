"""An environment with an event camera shows what changed, at the right times, the same for the same seed."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env

from neuroloop import BadInput, PlantError
from neuroloop.sensors.camera import EventCamera
from neuroloop.sensors.gamma import light_of_bytes
from neuroloop.sensors.scaling import Scaler
from neuroloop.sensors.space import EventSpace
from neuroloop.sensors.wrapper import EventCameraWrapper


class Screen(gymnasium.Env):
    """A spot that moves right by a pixel a step, in whatever observation a test wants."""

    action_space = spaces.Discrete(2)
    dt = 0.01

    def __init__(self, space, show):
        self.observation_space, self.show = space, show

    def picture(self):
        image = np.zeros((12, 16), np.uint8)
        image[4:8, self.x : self.x + 4] = 255
        return image

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x = 0
        return self.show(self.picture()), {}

    def step(self, action):
        self.x += 1
        return self.show(self.picture()), 1.0, self.x == 10, False, {"x": self.x}


BYTES = spaces.Box(0, 255, (12, 16), np.uint8)


def screen(**changes):
    return Screen(BYTES, lambda image: image.copy())


def rows(events):
    return [tuple(event) for event in events.tolist()]


def test_it_gives_what_its_camera_gives_for_the_frames_at_their_times():
    env = EventCameraWrapper(screen(), "ideal")
    camera, bare = EventCamera(16, 12, "ideal"), screen()
    observation, info = env.reset(seed=1)
    camera.see(bare.reset()[0], 0)
    assert observation["events"].size == 0
    assert info["events"] == {"start_us": 0, "end_us": 0, "dropped": 0}
    for k in range(1, 10):
        observation, reward, *_, info = env.step(0)
        picture = bare.step(0)[0]
        assert rows(observation["events"]) == rows(camera.see(picture, 10_000 * k))
        np.testing.assert_array_equal(observation["observation"], picture)
        assert observation in env.observation_space
        assert observation["events"].size > 0
        assert (reward, info["x"]) == (1.0, k)
        assert info["events"] == {"start_us": 10_000 * (k - 1), "end_us": 10_000 * k, "dropped": 0}


def test_several_frames_hold_the_action_sum_rewards_and_end_with_the_episode():
    env, single = EventCameraWrapper(screen(), "ideal", action_repeat=4), EventCameraWrapper(screen(), "ideal")
    env.reset(seed=0)
    single.reset(seed=0)
    for n in (4, 4, 2):
        observation, reward, terminated, _, info = env.step(0)
        parts = [single.step(0)[0]["events"] for _ in range(n)]
        assert rows(observation["events"]) == rows(np.concatenate(parts))
        assert (reward, terminated) == (float(n), n == 2)
        assert info["events"]["end_us"] - info["events"]["start_us"] == 10_000 * n


@pytest.mark.parametrize(
    ("space", "show", "key"),
    [
        (BYTES, lambda image: image, None),
        (spaces.Box(0, 255, (12, 16, 1), np.uint8), lambda image: image[:, :, None], None),
        (spaces.Box(0, 255, (12, 16, 3), np.uint8), lambda image: np.stack([image] * 3, -1), None),
        (spaces.Box(0, 255, (3, 12, 16), np.uint8), lambda image: np.stack([image] * 3), None),
        (spaces.Box(0.0, 1.0, (12, 16), np.float32), lambda image: (image / 255).astype(np.float32), "observation"),
        (spaces.Box(-1.0, 1.0, (1, 12, 16), np.float64), lambda image: image[None] / 127.5 - 1.0, "observation"),
        (
            spaces.Dict({"eye": BYTES, "speed": spaces.Box(-1.0, 1.0, (12, 16))}),
            lambda image: {"eye": image, "speed": np.zeros((12, 16), np.float32)},
            None,
        ),
        (spaces.Dict({"left": BYTES, "right": BYTES}), lambda image: {"left": 0 * image, "right": image}, "right"),
    ],
)
def test_the_picture_is_found_in_any_observation(space, show, key):
    env = EventCameraWrapper(Screen(space, show), "ideal", key=key, only=True)
    reference = EventCameraWrapper(screen(), "ideal", only=True)
    assert env.observation_space == EventSpace(16, 12)
    env.reset(seed=0)
    reference.reset(seed=0)
    for _ in range(3):
        events = env.step(0)[0]
        assert events.size > 100
        assert events["x"].tolist() == reference.step(0)[0]["x"].tolist()


def test_a_dictionary_keeps_its_keys_and_gets_one_more(bars):
    space = spaces.Dict({"eye": BYTES, "speed": spaces.Box(-1.0, 1.0, (2,))})
    env = EventCameraWrapper(Screen(space, lambda image: {"eye": image, "speed": np.zeros(2, np.float32)}))
    assert env.observation_space == spaces.Dict({**space.spaces, "events": EventSpace(16, 12)})
    assert set(env.reset(seed=0)[0]) == {"eye", "speed", "events"}


def test_rendered_pictures_are_averaged_down_to_the_size(bars):
    env = EventCameraWrapper(bars(), "ideal", size=(16, 10), only=True)
    env.reset(seed=3)
    for _ in range(5):
        events, *_ = env.step(0)
        assert events in env.observation_space
        on = {x for x, p in zip(events["x"].tolist(), events["p"].tolist(), strict=True) if p}
        assert on == {env.unwrapped.place // 4}
        assert set(events["y"].tolist()) == set(range(10))
    assert EventCameraWrapper(bars()).camera.width == 64


def test_gymnasium_has_nothing_to_object_to(bars):
    for wrapped in (
        EventCameraWrapper(bars(), "noisy", size=(32, 20)),
        EventCameraWrapper(bars(), "noisy", only=True, action_repeat=2),
        EventCameraWrapper(screen(), "clean"),
    ):
        with warnings.catch_warnings():
            warnings.filterwarnings("error", category=UserWarning)
            warnings.filterwarnings("ignore", message=".*is different from the unwrapped version.*")
            warnings.filterwarnings("ignore", message=".*alternative render modes.*")
            check_env(wrapped, skip_render_check=True)


SHADES = np.linspace(0, 255, 12 * 16).astype(np.uint8).reshape(12, 16)
SRGB = {0: 0.0, 10: 0.0030353, 128: 0.2158605, 188: 0.5028865, 255: 1.0}  # published values of the curve


def shades():
    """Dark, then light: every pixel another shade."""
    return Screen(BYTES, lambda image: np.roll(SHADES, int(image[4].argmax()) * 40))


@pytest.mark.parametrize(
    ("gamma", "light"),
    [
        ("srgb", lambda c: np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)),
        (2.2, lambda c: c**2.2),
        (1, lambda c: c),
    ],
)
def test_encoded_pictures_are_seen_as_the_light_they_stand_for(gamma, light):
    env, camera, bare = (
        EventCameraWrapper(shades(), "ideal", gamma=gamma, only=True),
        EventCamera(16, 12, "ideal"),
        shades(),
    )
    env.reset(seed=0)
    camera.see(light(bare.reset()[0] / 255.0).astype(np.float32), 0)
    total = 0
    for k in range(1, 6):
        events = env.step(0)[0]
        wanted = camera.see(light(bare.step(0)[0] / 255.0).astype(np.float32), 10_000 * k)
        assert abs(events.size - wanted.size) <= 0.002 * wanted.size  # tables and formulas round differently
        total += events.size
    assert total > 1000


def test_light_is_averaged_and_not_its_code():
    scaler = Scaler((2, 4, 3), (2, 1), light_of_bytes("srgb"))
    picture = np.zeros((2, 4, 3), np.uint8)
    picture[0, :2], picture[:, 2:] = 255, 188
    np.testing.assert_allclose(scaler(picture)[0, :, 1], [0.5, SRGB[188]], rtol=1e-4)
    np.testing.assert_allclose([light_of_bytes("srgb")[code] for code in SRGB], list(SRGB.values()), atol=1e-6)
    linear = Scaler((2, 4, 3), (2, 1))(picture)[0, :, 1]
    np.testing.assert_allclose(linear, [0.5, 188 / 255], rtol=1e-6)
    floats = Scaler((2, 4, 3), (2, 1), light_of_bytes("srgb"))((picture / 255).astype(np.float32))[0, :, 1]
    np.testing.assert_allclose(floats, linear, rtol=1e-6)  # they are light already


def test_linear_bytes_are_those_that_the_camera_itself_takes():
    env, camera, bare = EventCameraWrapper(shades(), gamma=1.0, only=True), EventCamera(16, 12), shades()
    env.reset(seed=0)
    camera.see(bare.reset()[0], 0)
    assert rows(env.step(0)[0]) == rows(camera.see(bare.step(0)[0], 10_000))


def run(env, seed, n=6):
    observation, _ = env.reset(seed=seed)
    seen = [observation["events"]]
    for k in range(n):
        seen.append(env.step(k % 2)[0]["events"])
    return [rows(events) for events in seen]


def test_a_seed_makes_an_episode_bit_for_bit_whatever_was_before(bars):
    env = EventCameraWrapper(bars(), "noisy")
    first = run(env, 7)
    assert sum(map(len, first)) > 0
    run(env, 8, n=3)
    assert run(env, 7) == first
    after = run(env, None)
    assert run(EventCameraWrapper(bars(), "noisy"), 7) == first
    assert run(env, 7) == first
    assert run(env, None) == after  # episodes without a seed follow from the last one that had one


def test_noise_differs_between_episodes_and_the_chip_does_not(bars):
    still = EventCameraWrapper(Screen(BYTES, lambda image: np.full((12, 16), 60, np.uint8)), "noisy")
    assert run(still, 1) != run(still, 2)
    assert EventCameraWrapper(bars(), "noisy", seed=5).camera.seed == 5


class Own(Screen):
    """A world with a camera of its own: two frames a step, at its own times."""

    def __init__(self):
        super().__init__(spaces.Box(0.0, 1.0, (1,)), lambda image: np.zeros(1, np.float32))
        self.frames = []

    def reset(self, *, seed=None, options=None):
        answer = super().reset(seed=seed)
        self.frames, self.t = [(500, self.picture())], 500
        return answer

    def step(self, action):
        before, answer = self.picture(), super().step(action)
        self.frames, self.t = [(self.t + 2000, before), (self.t + 3000, self.picture())], self.t + 3000
        return answer

    def camera_frames(self):
        return self.frames


def test_a_world_with_a_camera_is_seen_through_its_own_frames():
    env = EventCameraWrapper(gymnasium.wrappers.TimeLimit(Own(), 5), "ideal", only=True)
    env.reset(seed=0)
    for k in range(4):
        events, *_, info = env.step(0)
        assert info["events"] == {"start_us": 500 + 3000 * k, "end_us": 3500 + 3000 * k, "dropped": 0}
        assert events.size > 0
        assert events["t_us"].min() > 2500 + 3000 * k  # nothing changed before the second frame


def test_frames_of_a_world_that_are_none_are_errors_of_the_world():
    class Wrong(Own):
        def camera_frames(self):
            return [frame for _, frame in self.frames]

    with pytest.raises(PlantError, match=r"^camera_frames\(\): must give \[\(t_us, frame\), …\], got ndarray"):
        EventCameraWrapper(Wrong(), size=(16, 12)).reset()


def test_more_events_than_wanted_are_dropped_evenly_and_counted():
    env, all_of_them = (EventCameraWrapper(screen(), "ideal", most_events=most, only=True) for most in (50, 10**6))
    env.reset(seed=0)
    all_of_them.reset(seed=0)
    few, *_, info = env.step(0)
    every = rows(all_of_them.step(0)[0])
    assert few.size == 50
    assert info["events"]["dropped"] == len(every) - 50 > 0
    places = [every.index(event) for event in rows(few)]
    assert np.diff(places).max() <= -(-len(every) // 50)
    assert few in env.observation_space


def test_vector_environments_take_it(bars):
    vector = gymnasium.vector.SyncVectorEnv([lambda: EventCameraWrapper(bars(), size=(32, 20))] * 2)
    observations, _ = vector.reset(seed=3)
    observations, *_, infos = vector.step(np.zeros(2, int))
    assert observations in vector.observation_space
    assert [events.size > 0 for events in observations["events"]] == [True, True]
    assert infos["events"]["end_us"].tolist() == [20_000, 20_000]


def test_its_spec_makes_it_again():
    gymnasium.register("ScreenForWrapper-v0", lambda: screen())
    env = EventCameraWrapper(gymnasium.make("ScreenForWrapper-v0"), "ideal", action_repeat=2, only=True)
    again = gymnasium.make(env.spec)
    assert isinstance(again, EventCameraWrapper)
    assert again.observation_space == env.observation_space


class Odd(Screen):
    """Says nothing about time."""

    dt = None


@pytest.mark.parametrize(
    ("env", "changes", "message"),
    [
        (lambda: Screen(spaces.Discrete(2), None), {}, "shows no picture; make it with render_mode='rgb_array'"),
        (lambda: Odd(BYTES, None), {}, "^period: is needed"),
        (screen, {"period": 0.0}, "^period: must be a number of s"),
        (screen, {"action_repeat": 0}, "^action_repeat: must be at least 1, got 0"),
        (screen, {"size": 5}, r"^size: must be \(width, height\), got 5"),
        (screen, {"key": "picture"}, "^key: unknown picture 'picture'"),
        (screen, {"key": "render"}, "shows no picture"),
        (screen, {"only": "yes"}, "^only: must be True or False, got 'yes'"),
        (screen, {"gamma": "rgb"}, '^gamma: must be "srgb", or a number from 0.1 to 10'),
        (screen, {"gamma": True}, "^gamma: must be"),
        (screen, {"gamma": float("nan")}, "^gamma: must be"),
        (screen, {"most_events": -1}, "^most_events: must be at least 0"),
        (screen, {"pixel": "nosy"}, "did you mean 'noisy'"),
        (lambda: Screen(spaces.Dict({"a": BYTES, "b": BYTES}), None), {}, "^key: is needed.* several pictures: a, b"),
        (lambda: Screen(spaces.Dict({"a": BYTES, "events": BYTES}), None), {"key": "a"}, "has a key 'events' already"),
        (lambda: Screen(spaces.Box(-np.inf, 1.0, (9, 9)), None), {"key": "observation"}, "floats within finite bounds"),
    ],
)
def test_what_cannot_be_wrapped_is_refused_with_the_way_out(env, changes, message):
    with pytest.raises(BadInput, match=message):
        EventCameraWrapper(env(), **changes)


def test_pictures_that_break_their_promise_are_errors_of_the_environment():
    env = EventCameraWrapper(Screen(BYTES, lambda image: image.astype(float)))
    with pytest.raises(PlantError, match=r"^observation: must be uint8 of shape \(12, 16\), got float64"):
        env.reset()
    too_small = EventCameraWrapper(screen(), size=(20, 12))
    with pytest.raises(BadInput, match=r"^size: must be at most the picture's own \(16, 12\)"):
        too_small.reset()
