"""Pages and pictures on the disk: all of a file or nothing, whatever happens meanwhile."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..whole_file import replacing, sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write(path: Path, content: bytes) -> Path:
    """Write a file; its folder is made if missing. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path)
    with replacing(path) as file:
        file.write(content)
    return path


def write_figure(figure: Figure, path: Path, **options: Any) -> Path:
    """Write a figure in the format of the ending. Made in memory, since not all that draws ends well on a full disk.

    `options`: of matplotlib's `savefig`. Raises `OSError`.
    """
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix.lower().removeprefix(".") or None, **options)
    return write(path, content.getvalue())
