"""What a run begins with: the agent, and the plant that it drives."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .request import Request

if TYPE_CHECKING:
    from ..agent import Agent
    from ..loop.paced import Paced


def learner_of(request: Request) -> Agent:
    """The agent from scratch, or from its checkpoint."""
    from ..agent import Agent, load_agent, read_config
    from ..errors import BadInput

    if request.resume is None and request.agent is None:
        raise BadInput("AGENT: is missing; `neuroloop agents` lists the ready-made ones, --resume FILE goes on")
    plant: Any = _paced(request) if request.realtime else _remote(request)
    if request.resume is None:
        assert request.agent is not None
        if request.realtime:  # the environment stays named, so that it can be made again
            name, config = read_config(request.agent, request.settings, request.env)
            return Agent(config, plant, request.seed or 0, name)
        if plant is not None:
            learner = load_agent(request.agent, plant, request.seed or 0, request.settings)
            _compare(learner)
            return learner
        if request.events is None:
            return load_agent(request.agent, request.env, request.seed or 0, request.settings)
        return load_agent(request.agent, *_playback(request.agent, request))
    learner = Agent.load(request.resume, plant)
    if request.agent is not None and learner.name != Path(request.agent).stem:
        raise BadInput(
            f"--resume: {request.resume} holds the agent {learner.name!r}, not {request.agent!r}; leave the name out"
        )
    return learner


def _compare(learner: Agent) -> None:
    """Say so where another environment is served than the agent was made for: it may fit, and be meant."""
    made_for, served = learner.config.plant.env, learner.env_id
    if made_for and made_for.rpartition(":")[2] != served.rpartition(":")[2]:
        print(f"neuroloop: {learner.name} is made for {made_for}; what is served is {served}", file=sys.stderr)


def _remote(request: Request) -> Any:
    """The plant at the other end of a link, and its camera; None without a link."""
    from ..errors import BadInput

    if request.connect is None:
        if request.events_from is not None:
            raise BadInput("--events-from: sees a plant that is served; add --connect")
        return None
    if request.env is not None or request.events is not None:
        raise BadInput("--connect: drives the plant that is served there; leave --env and --events out")
    from ..link.remote import RemoteEnv
    from .cameras import seeing

    own = None if request.camera_key and not request.server_key else request.keys
    return seeing(RemoteEnv(request.connect, keys=own, server_key=request.server_key), request)


def _playback(agent: str, request: Request) -> tuple[str, int, list[str]]:
    """Environment, seed and settings that play a recording at the agent's own period."""
    from ..agent import read_config
    from ..errors import BadInput
    from ..sensors.files.playback import ENV_ID

    if request.env is not None:
        raise BadInput("--events: plays a recording instead of an environment; leave --env out")
    clock = getattr(read_config(agent, request.settings, ENV_ID)[1], "clock", None)
    path = dumps(str(request.events and request.events.resolve()), ensure_ascii=False)
    ours = [f"plant.arguments.path={path}", *([f"plant.arguments.period={clock.period}"] if clock else [])]
    return ENV_ID, request.seed or 0, [*ours, *request.settings]


def _paced(request: Request) -> Paced:
    """The environment at its own speed."""
    from ..agent import config_of, read_config
    from ..errors import BadInput
    from ..loop.paced import Paced
    from ..loop.plant import make_env
    from ..settings import SpikingConfig

    if request.connect is not None:
        raise BadInput(
            "--realtime: is the plant's to decide, where it is served: `neuroloop serve --realtime`; leave it out"
        )
    if request.events is not None:
        raise BadInput("--realtime: goes with an environment; leave --events out")
    if request.resume is not None:
        config = config_of(request.resume)
    else:
        assert request.agent is not None
        config = read_config(request.agent, request.settings, request.env)[1]
    return Paced(make_env(config.plant), policy=config.clock.overrun if isinstance(config, SpikingConfig) else "skip")


def check_fifo(asked: bool | None, request: Request) -> None:
    """Raises `BadInput` for `--fifo` without a time to keep; one that a checkpoint says is passed over then."""
    from ..errors import BadInput

    if asked and not request.realtime:
        raise BadInput("--fifo: is for a run that keeps its plant's time; add --realtime")


@contextmanager
def in_time(request: Request) -> Iterator[list[str]]:
    """What a run in real time asks of the operating system; gives what was not permitted."""
    if not request.realtime:
        yield []
        return
    from ..loop.priority import undisturbed

    with undisturbed(bool(request.fifo)) as refused:
        yield refused


def timing_of(learner: Agent) -> dict[str, Any] | None:
    """How well a run in real time kept its time."""
    timing = learner.env.get_wrapper_attr("timing") if learner.env.has_wrapper_attr("timing") else None
    return None if timing is None else timing.report()
