"""Event files: recordings of event cameras, read, written and played into the loop."""

from .facts import Facts, Loss, LostEvents, Window
from .reading import EventReader, Summary, open_events, read_events, summary
from .writing import EventWriter, write_events

__all__ = [
    "EventReader",
    "EventWriter",
    "Facts",
    "Loss",
    "LostEvents",
    "Summary",
    "Window",
    "open_events",
    "read_events",
    "summary",
    "write_events",
]
