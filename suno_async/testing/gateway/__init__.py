"""A local gateway that behaves as the real gateway software does."""

from .faults import FAULTS
from .server import Gateway

__all__ = ["FAULTS", "Gateway"]
