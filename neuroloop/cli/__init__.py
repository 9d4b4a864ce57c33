"""One command, one file a verb. Exit codes: 0 done, 1 failed, 2 bad input, 130 Ctrl-C, 143 SIGTERM.

This file imports nothing outside `main`, so that Ctrl-C is answered from the beginning.
"""

import sys


def main() -> None:
    """Entry point of the command `neuroloop`."""
    try:
        _main()
    except KeyboardInterrupt:  # while it starts, or after typer is done
        print("neuroloop: interrupted", file=sys.stderr)
        sys.exit(130)


def _main() -> None:
    from pathlib import Path

    from ..errors import BadInput, NeuroloopError
    from .verbs import app

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.path.append(str(Path.cwd()))  # for --env module:id with a module that lies here
    try:
        app()
    except NeuroloopError as error:
        print(f"neuroloop: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, BadInput) else 1)
    except SystemExit as ended:
        if isinstance(getattr(ended.__context__, "__cause__", None), KeyboardInterrupt):  # typer says nothing of it
            print("neuroloop: interrupted", file=sys.stderr)
        raise
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
