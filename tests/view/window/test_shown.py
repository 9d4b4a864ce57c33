"""What of a run is passed on to a window, without a window."""

from __future__ import annotations

import io
from typing import Any

import gymnasium
import neuroloop_envs  # noqa: F401 (registers worlds)
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from neuroloop.sensors.space import EventSpace
from neuroloop.types import EVENT
from neuroloop.view.window.bands import CAPTION, LATEST, MOST_NEURONS, WIDTH, Raster, stretched, weight_bands
from neuroloop.view.window.colours import FIRE, SIGNED, palette, png, to_bytes
from neuroloop.view.window.layout import parts_of
from neuroloop.view.window.naming import ACTIONS, OBSERVATIONS, action_names, groups_of, n_numbers
from neuroloop.view.window.scene import About, Scene, counts_of
from neuroloop.view.window.shown import MOST_POINTS, Shown


class Kept:
    """A sheet that keeps what it is given."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {}
        self.drawn: dict[str, list[Any]] = {}
        self.pictures: dict[str, Any] = {}
        self.texts: list[str] = []

    def declare(self, path: str, names: Any, **_: Any) -> None:
        self.names[path] = list(names)

    def series(self, path: str, ticks: Any, t_s: Any, values: Any) -> None:
        self.drawn.setdefault(path, []).append((ticks, t_s, values))

    def at(self, tick: int, t_s: float) -> None:
        self.now = tick, t_s

    def picture(self, path: str, picture: Any) -> None:
        self.pictures[path] = picture

    def painted(self, path: str, pixels: Any, colours: Any) -> None:
        self.pictures[path] = pixels

    def text(self, markdown: str) -> None:
        self.texts.append(markdown)

    def arrange(self) -> None:
        pass


def about(observation: spaces.Space[Any], action: spaces.Space[Any] | None = None, env: str = "Odd-v0") -> About:
    return About(
        "odd", env, ("**odd**",), observation, action or spaces.Discrete(2), {"actor": 4}, ("value", "td_error")
    )


def scene(k: int, observation: Any, **more: Any) -> Scene:
    facts: dict[str, Any] = {
        "tick": k, "t_ns": 10**9 + k * 10**7, "episode": 0, "first": k == 0, "observation": observation, "action": 1,
        "reward": 0.5, "episode_return": 0.5 * k, "spikes": {"actor": np.array([k % 3, 0, 0, 1])},
        "numbers": {"value": 2.0, "td_error": -1.0}, "timing": None,
    }  # fmt: skip
    return Scene(**(facts | more))


def shown(of: About) -> tuple[Shown, Kept]:
    sheet = Kept()
    return Shown(sheet, of, 10**9), sheet  # type: ignore[arg-type]


def test_numbers_of_a_run_are_drawn_by_name_and_time() -> None:
    view, sheet = shown(about(spaces.Box(-1.0, 1.0, (3,))))
    for k in range(5):
        view.tick(scene(k, np.array([k, 1.0, 2.0])))
    view.flush("at tick 4")
    ((ticks, t_s, values),) = sheet.drawn["observation/observation"]
    assert ticks.tolist() == [0, 1, 2, 3, 4]
    assert t_s == pytest.approx([0.0, 0.01, 0.02, 0.03, 0.04])
    assert values[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert sheet.names["observation/observation"] == ["observation[0]", "observation[1]", "observation[2]"]
    assert sheet.drawn["value"][0][2].tolist() == [[2.0, -1.0]] * 5
    assert sheet.drawn["return/episode"][0][2][-1] == 2.0
    assert sheet.drawn["spikes"][0][2].ravel().tolist() == [1, 2, 3, 1, 2]
    assert sheet.texts == ["**odd**  \nat tick 4"]
    assert "timing" not in sheet.drawn


def test_a_fast_run_is_thinned_evenly() -> None:
    view, sheet = shown(about(spaces.Box(-1.0, 1.0, (1,))))
    for k in range(20 * MOST_POINTS):
        view.tick(scene(k, np.zeros(1)))
    view.flush()
    ((ticks, _, _),) = sheet.drawn["action"]
    assert len(ticks) == MOST_POINTS
    assert set(np.diff(ticks)) == {20}
    view.flush()
    assert len(sheet.drawn["action"]) == 1


def test_a_late_control_step_shows_in_microseconds() -> None:
    view, sheet = shown(about(spaces.Box(-1.0, 1.0, (1,))))
    view.tick(
        scene(0, np.zeros(1), timing={"late": 25_000, "compute": 1_000_000, "age": 3000, "period": 0, "left_out": 0})
    )
    view.flush()
    assert sheet.drawn["timing"][0][2].tolist() == [[25.0, 1000.0, 3.0]]


def test_a_plant_that_failed_has_no_reward() -> None:
    view, sheet = shown(about(spaces.Box(-1.0, 1.0, (1,))))
    view.tick(scene(0, None, reward=None, action=None))
    view.flush()
    assert "reward" not in sheet.drawn
    assert "action" not in sheet.drawn
    assert "observation/observation" not in sheet.drawn


def test_on_events_are_bright_off_events_dark_and_both_fade() -> None:
    space = spaces.Dict({"events": EventSpace(4, 3), "observation": spaces.Box(-1.0, 1.0, (1,))})
    view, sheet = shown(about(space))
    events = np.array([(1, 0, 0, 1), (2, 3, 2, 0)], EVENT)
    view.tick(scene(0, {"events": events, "observation": np.zeros(1)}))
    view.paint()
    first = sheet.pictures["events"].astype(int)
    assert first.shape == (3, 4)
    assert first[0, 0] > 127 > first[2, 3]
    assert (np.delete(first.ravel(), [0, 11]) == 127).all()
    view.tick(scene(1, {"events": events[:0], "observation": np.zeros(1)}))
    view.paint()
    second = sheet.pictures["events"].astype(int)
    assert first[0, 0] > second[0, 0] > 127 > second[2, 3] > first[2, 3]


def test_pictures_in_an_observation_are_shown_as_they_are() -> None:
    space = spaces.Dict({"camera": spaces.Box(0, 255, (20, 30, 3), np.uint8), "depth": spaces.Box(0.0, 9.0, (20, 30))})
    view, sheet = shown(about(space))
    camera = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    depth = np.linspace(0.0, 9.0, 600, dtype=np.float32).reshape(20, 30)
    view.tick(scene(0, {"camera": camera, "depth": depth}))
    view.flush()
    assert np.array_equal(sheet.pictures["seen/camera"], camera)
    assert sheet.pictures["seen/depth"].min() == 0
    assert sheet.pictures["seen/depth"].max() == 255


def test_a_long_vector_is_a_picture_over_time() -> None:
    view, sheet = shown(about(spaces.Box(-1.0, 1.0, (100,))))
    for k in range(3):
        view.tick(scene(k, np.full(100, k / 2.0)))
    view.flush()
    picture = sheet.pictures["seen/observation"]
    assert picture[-1, 0] == 0
    assert picture[-1, -1] == 255
    assert "observation/observation" not in sheet.drawn


@pytest.mark.parametrize("name", sorted(OBSERVATIONS))
def test_names_are_as_many_as_the_numbers_of_the_world(name: str) -> None:
    env_id = next(one for one in gymnasium.registry if one.rpartition("/")[2].rpartition("-v")[0] == name)
    try:
        env = gymnasium.make(env_id, **({"joint_error": True} if name == "ArmReaching" else {}))
    except gymnasium.error.DependencyNotInstalled as error:
        pytest.skip(str(error))
    try:
        n = n_numbers(env.observation_space)
        groups = groups_of(env_id, n)
        assert sum(len(group.names) for group in groups) == n
        assert groups[0].title == OBSERVATIONS[name][0][0]
        if name in ACTIONS:
            assert action_names(env_id, env.action_space) == ACTIONS[name]
    finally:
        env.close()


@given(st.integers(1, 64))
def test_every_number_of_an_unknown_vector_is_in_one_group(n: int) -> None:
    groups = groups_of("Unknown-v0", n)
    assert [group.start + k for group in groups for k in range(len(group.names))] == list(range(n))


def test_long_vectors_and_unknown_spaces_are_no_series() -> None:
    kinds = {part.name: part.kind for part in parts_of(
        spaces.Dict({"long": spaces.Box(-1.0, 1.0, (500,)), "text": spaces.Text(5), "traces": spaces.Box(0.0, 8.0, (4, 8, 2))}),
        "Odd-v0",
    )}  # fmt: skip
    assert kinds == {"long": "rolled", "traces": "polarity"}


def test_the_newest_spikes_stand_on_the_right() -> None:
    raster = Raster({"a": 3, "large": 4 * MOST_NEURONS})
    for k in range(LATEST + 7):
        raster.note({"a": np.array([k == LATEST + 6, 1, 0]), "large": np.zeros(4 * MOST_NEURONS, int)})
    (name, band), (_, large) = raster.bands().items()
    assert name == "a: 3 neurons, 0 … 1 spikes"
    assert band.shape == (3, LATEST)
    assert np.flatnonzero(band[0]).tolist() == [LATEST - 1]
    assert band[1].all()
    assert len(large) == MOST_NEURONS


def test_weights_of_either_sign_lie_on_either_side_of_the_middle() -> None:
    bands = weight_bands({"policy": np.array([[2.0, -1.0], [0.0, np.nan]], np.float32)}, {"policy": (7, 2)})
    ((name, band),) = bands.items()
    assert name == "policy: 7 inputs (2 shown) to 2 neurons, ±2"
    assert band[0, 0] == 255
    assert band[1, 0] < 127
    assert band[0, 1] == band[1, 1] == 127


@given(st.integers(1, 300), st.integers(1, 900), st.integers(1, 200))
def test_a_band_keeps_its_corners_whatever_it_is_stretched_to(rows: int, columns: int, height: int) -> None:
    band = np.arange(rows * columns).reshape(rows, columns) % 251
    found = stretched(band.astype(np.uint8), height)
    assert found.shape == (height, WIDTH)
    assert found[0, 0] == band[0, 0]
    if height >= rows and columns <= WIDTH:
        assert set(found.ravel()) == set(band.ravel())


def test_captions_can_be_read() -> None:
    pytest.importorskip("PIL")
    from neuroloop.view.window.bands import caption

    drawn = caption("policy: 16 neurons", 0)
    assert drawn.shape == (CAPTION, WIDTH)
    assert 50 < (drawn > 128).sum() < drawn.size // 4


def test_a_png_holds_the_colours_it_was_given() -> None:
    image = pytest.importorskip("PIL.Image")
    pixels = np.arange(256, dtype=np.uint8).reshape(8, 32)
    colours = palette(FIRE)
    read = np.asarray(image.open(io.BytesIO(png(pixels, colours))).convert("RGB"))
    assert np.array_equal(read, colours[pixels])


def test_numbers_that_are_none_lie_in_the_middle_of_a_palette() -> None:
    found = to_bytes(np.array([-np.inf, -1.0, 0.0, np.nan, 1.0, np.inf]), -1.0, 1.0)
    assert found.tolist() == [0, 0, 127, 127, 255, 255]
    assert palette(SIGNED)[127].max() < 4


def test_spikes_are_counted_from_the_steps_they_fired_in() -> None:
    words = np.array([[0b101, 0, -1], [0b1, 0, 0]], np.int32)
    assert counts_of(words).tolist() == [3, 0, 32]
