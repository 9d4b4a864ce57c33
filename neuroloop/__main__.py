"""`python -m neuroloop` is the command `neuroloop`."""

from .cli import main

if __name__ == "__main__":
    main()
