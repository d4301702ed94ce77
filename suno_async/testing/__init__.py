"""What users of the library, and its own tests, test with."""

from .gateway import FAULTS, Gateway

__all__ = ["FAULTS", "Gateway"]
