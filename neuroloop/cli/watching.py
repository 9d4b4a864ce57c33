"""Who watches a run of the command line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..agent import Agent


@contextlib.contextmanager
def on_board(learner: Agent, folder: Path | None, name: str) -> Iterator[None]:
    """Scalars for TensorBoard, in a folder of the run's own within `folder`, where one is named."""
    if folder is None:
        yield
        return
    from ..view.tensorboard import TensorBoard

    with TensorBoard(folder / name, learner) as board, learner.watched(by=board):
        yield
