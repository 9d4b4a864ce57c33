"""`neuroloop keys`: who may drive a plant over a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Keys for links that leave this machine.", no_args_is_help=True, rich_markup_mode=None)
Folder = Annotated[
    Path, typer.Option("--folder", metavar="DIR", help="Where the keys are.", show_default="~/.config/neuroloop/keys")
]
DEFAULT = Path("~/.config/neuroloop/keys")


@app.command("new")
def new(folder: Folder = DEFAULT) -> None:
    """Make a key pair, and print the public one."""
    from ..link import keys

    print(keys.new(folder).decode())


@app.command("show")
def show(folder: Folder = DEFAULT) -> None:
    """Print the public key, and whom we let in."""
    from ..link import keys

    found = keys.read(folder)
    print(found.public.decode())
    for name, key in found.allowed.items():
        print(f"allowed  {key.decode()}  {name}")


@app.command("allow")
def allow(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="A public key, as `neuroloop keys show` prints it there, or a file.")
    ],
    name: Annotated[str, typer.Option("--name", help="What we call its owner.")],
    folder: Folder = DEFAULT,
) -> None:
    """Let the owner of a public key in, from now on: also where a plant is served already."""
    from ..link import keys

    print(keys.allow(folder, key, name))


@app.command("forget")
def forget(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `neuroloop keys show` lists it.")],
    folder: Folder = DEFAULT,
) -> None:
    """Let somebody in no more, from their next connection on; one that stands stays until the plant is served anew."""
    from ..link import keys

    print(f"{keys.forget(folder, name)} is removed")
