"""The command line, ``suno-async``: needs ``pip install 'suno-async[cli]'``."""

from .app import main

__all__ = ["main"]
