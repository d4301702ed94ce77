"""The client: what users hold in their hands. The only room that joins engine files together."""

from .job import Job
from .suno import Suno

__all__ = ["Job", "Suno"]
