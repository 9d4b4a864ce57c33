"""What an agent stands in: the plant, its reward, the clock, and how well it goes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from .base import Count, Fraction, Number, Settings, Time
from .sensors import EventCameraConfig


class PlantConfig(Settings, frozen=True, kw_only=True):
    """The environment, and what counts as solving it."""

    env: str = ""  # a Gymnasium id, or module:id
    arguments: dict[str, Any] = {}
    action_repeat: Count = 1  # plant steps a decision; their rewards are summed
    criterion: float | None = None  # mean of 100 returns; absent: the environment's reward_threshold
    event_camera: EventCameraConfig | None = None  # in front of it
    max_steps: Count | None = None  # after which `run` gives up; absent: 200 000, twice with a criterion


class RewardConfig(Settings, frozen=True, kw_only=True):
    """What the learner is paid: `scale` × the plant's reward, plus `on_termination` when the episode terminates."""

    scale: Number = 1.0
    on_termination: Number = 0.0


class ClockConfig(Settings, frozen=True, kw_only=True):
    """A control step is `n_steps` × `dt` for the network and `period` for the plant. Velocities that the spindle encoder finds
    from positions, rhythms, windows of event packets and limits of slew are measured by `period`; nothing else is."""

    period: Time = 0.020  # s
    dt: Time = 0.001  # s
    n_steps: Count = 20
    overrun: Literal["skip", "stretch", "hold"] = "skip"  # in real time, of steps whose time went by


class SuccessConfig(Settings, frozen=True, kw_only=True):
    """When the returns of episodes count as success."""

    rate: Fraction = 0.05  # an episode, of the mean return
    release: Fraction = 0.002  # an episode, of the best return towards the mean
    begins: Fraction = 0.6  # of the way from the worst mean to the best return: some success
    full: Fraction = 0.95  # and full success


class WarmUp(Settings, frozen=True, kw_only=True):
    """Decisions at random, for statistics only, before learning begins: until an episode ended, but at most four times as
    many."""

    decisions: Annotated[int, Meta(ge=0)] = 0
    persistence: Fraction = 0.9  # probability to repeat the last action
