"""neuroloop: a spiking neural network drives a robot and learns while it drives.

    agent = neuroloop.load_agent("cartpole")
    agent.learn(total_steps=60_000)
    action, state = agent.predict(observation)

Importing this loads nothing else; every name is fetched when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._lazy import lazily

if TYPE_CHECKING:  # `as` says that the names are exported
    from .agent import Agent as Agent
    from .agent import agents as agents
    from .agent import load_agent as load_agent
    from .autosave import Autosave as Autosave
    from .diagnosis import diagnose as diagnose
    from .encoders.events import EventEncoder as EventEncoder
    from .errors import (
        BadInput as BadInput,
    )
    from .errors import (
        CheckpointError as CheckpointError,
    )
    from .errors import (
        ConfigError as ConfigError,
    )
    from .errors import (
        DivergedError as DivergedError,
    )
    from .errors import (
        LinkError as LinkError,
    )
    from .errors import (
        MissingExtra as MissingExtra,
    )
    from .errors import (
        NeuroloopError as NeuroloopError,
    )
    from .errors import (
        PlantError as PlantError,
    )
    from .errors import (
        RecordingError as RecordingError,
    )
    from .errors import (
        UnsupportedSpace as UnsupportedSpace,
    )
    from .link.cameras.camera import CameraServer as CameraServer
    from .link.cameras.pictures import PublishedFrames as PublishedFrames
    from .link.cameras.remote_camera import RemoteCamera as RemoteCamera
    from .link.remote import RemoteEnv as RemoteEnv
    from .link.server import PlantServer as PlantServer
    from .link.telemetry.listening import Listener as Listener
    from .link.telemetry.tap import Tap as Tap
    from .network.devices import FixedPoint as FixedPoint
    from .network.devices import Memristive as Memristive
    from .network.layouts import (
        AllToAll as AllToAll,
    )
    from .network.layouts import (
        AllToOthers as AllToOthers,
    )
    from .network.layouts import (
        Convolution as Convolution,
    )
    from .network.layouts import (
        FixedInDegree as FixedInDegree,
    )
    from .network.layouts import (
        FixedOutDegree as FixedOutDegree,
    )
    from .network.layouts import (
        FixedProbability as FixedProbability,
    )
    from .network.layouts import (
        OneToOne as OneToOne,
    )
    from .network.layouts import (
        Pairs as Pairs,
    )
    from .network.network import Network as Network
    from .network.neurons import (
        ALIF as ALIF,
    )
    from .network.neurons import (
        LIF as LIF,
    )
    from .network.neurons import (
        AdEx as AdEx,
    )
    from .network.neurons import (
        Izhikevich as Izhikevich,
    )
    from .network.neurons import (
        Neuron as Neuron,
    )
    from .network.neurons import (
        Poisson as Poisson,
    )
    from .network.neurons import (
        Readout as Readout,
    )
    from .network.neurons import (
        Regular as Regular,
    )
    from .network.neurons import (
        SpikeTrain as SpikeTrain,
    )
    from .network.neurons import (
        StochasticLIF as StochasticLIF,
    )
    from .network.projection import Normal as Normal
    from .network.projection import Uniform as Uniform
    from .network.short_term import ShortTerm as ShortTerm
    from .network.synapses import Alpha as Alpha
    from .network.synapses import Delta as Delta
    from .network.synapses import Exponential as Exponential
    from .plasticity.homeostasis import (
        Normalise as Normalise,
    )
    from .plasticity.homeostasis import (
        Scaling as Scaling,
    )
    from .plasticity.homeostasis import (
        ThresholdAdaptation as ThresholdAdaptation,
    )
    from .plasticity.pes import PES as PES
    from .plasticity.rewarded import RSTDP as RSTDP
    from .plasticity.stdp import STDP as STDP
    from .plasticity.stdp import TripletSTDP as TripletSTDP
    from .recording.reader import Recording as Recording
    from .recording.recorder import Recorder as Recorder
    from .recording.replay import ReplayReport as ReplayReport
    from .recording.replay import replay as replay
    from .sensors.camera import EventCamera as EventCamera
    from .sensors.event_frames import EventFrames as EventFrames
    from .sensors.files.facts import LostEvents as LostEvents
    from .sensors.files.playback import EventPlayback as EventPlayback
    from .sensors.files.reading import open_events as open_events
    from .sensors.files.reading import read_events as read_events
    from .sensors.files.writing import EventWriter as EventWriter
    from .sensors.files.writing import write_events as write_events
    from .sensors.frames import event_counts as event_counts
    from .sensors.frames import time_surface as time_surface
    from .sensors.frames import voxel_grid as voxel_grid
    from .sensors.space import EventSpace as EventSpace
    from .sensors.wrapper import EventCameraWrapper as EventCameraWrapper
    from .settings.encoders import EventPooling as EventPooling
    from .settings.sensors import Pixel as Pixel
    from .types import Spikes as Spikes
    from .vector import VectorAgent as VectorAgent
    from .vector import load_agents as load_agents

__version__ = "0.1.0"
_ROOMS = {
    "agent": "Agent agents load_agent",
    "autosave": "Autosave",
    "diagnosis": "diagnose",
    "errors": "BadInput CheckpointError ConfigError DivergedError LinkError MissingExtra NeuroloopError PlantError"
    " RecordingError UnsupportedSpace",
    "encoders.events": "EventEncoder",
    "link.telemetry.listening": "Listener",
    "link.cameras.camera": "CameraServer",
    "link.cameras.pictures": "PublishedFrames",
    "link.remote": "RemoteEnv",
    "link.cameras.remote_camera": "RemoteCamera",
    "link.server": "PlantServer",
    "link.telemetry.tap": "Tap",
    "network.devices": "FixedPoint Memristive",
    "network.layouts": "AllToAll AllToOthers Convolution FixedInDegree FixedOutDegree FixedProbability OneToOne Pairs",
    "network.network": "Network",
    "network.neurons": "ALIF LIF AdEx Izhikevich Neuron Poisson Readout Regular SpikeTrain StochasticLIF",
    "network.projection": "Normal Uniform",
    "network.synapses": "Alpha Delta Exponential",
    "plasticity.homeostasis": "Normalise Scaling ThresholdAdaptation",
    "plasticity.pes": "PES",
    "plasticity.rewarded": "RSTDP",
    "network.short_term": "ShortTerm",
    "plasticity.stdp": "STDP TripletSTDP",
    "recording.reader": "Recording",
    "recording.recorder": "Recorder",
    "recording.replay": "ReplayReport replay",
    "sensors.camera": "EventCamera",
    "sensors.event_frames": "EventFrames",
    "sensors.files.facts": "LostEvents",
    "sensors.files.playback": "EventPlayback",
    "sensors.files.reading": "open_events read_events",
    "sensors.files.writing": "EventWriter write_events",
    "sensors.frames": "event_counts time_surface voxel_grid",
    "sensors.space": "EventSpace",
    "sensors.wrapper": "EventCameraWrapper",
    "settings.encoders": "EventPooling",
    "settings.sensors": "Pixel",
    "types": "Spikes",
    "vector": "VectorAgent load_agents",
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names.split()}
__all__ = sorted(_HOME)
__getattr__ = lazily(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
