"""The disk: what was submitted, what came of it and which ids are waited for, so that a crash loses none of it."""

from .journal import Journal
from .store import Store

__all__ = ["Journal", "Store"]
