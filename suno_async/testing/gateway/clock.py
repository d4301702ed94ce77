"""Gateway time: the loop's time, started at the wall clock's and run at the chosen speed."""

from datetime import UTC, datetime
from email.utils import formatdate

import anyio


class Clock:
    """What the gateway believes the time to be, in Unix seconds.

    Everything the gateway reports (``submit_time``, ``updated_at``, the ``Date`` header) is this time, so a song of
    96 s lasts 96 s by its own columns, however fast the gateway runs.
    """

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._epoch = datetime.now(UTC).timestamp()
        self._began: float | None = None
        self._stamp = (0, "", "")

    def start(self) -> None:
        """Let time run; a clock that runs already is left alone."""
        if self._began is None:
            self._began = anyio.current_time()

    def now(self) -> float:
        """Gateway time; it stands still until the clock is started."""
        if self._began is None:
            return self._epoch
        return self._epoch + (anyio.current_time() - self._began) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Sleep so many seconds of gateway time."""
        await anyio.sleep(seconds / self.speed)

    async def sleep_until(self, moment: float) -> None:
        """Sleep until the gateway's time is ``moment``; give way to others in any case."""
        await self.sleep(max(0.0, moment - self.now()))

    def date(self, now: float) -> str:
        """``now`` as a ``Date`` header."""
        return self._stamps(now)[1]

    def compact(self, now: float) -> str:
        """``now`` as request ids begin: YYYYMMDDhhmmss and nanoseconds."""
        return f"{self._stamps(now)[2]}{int(now % 1 * 1e9)}"

    def _stamps(self, now: float) -> tuple[int, str, str]:
        second = int(now)
        if self._stamp[0] != second:
            when = datetime.fromtimestamp(second, UTC)
            self._stamp = (second, formatdate(second, usegmt=True), when.strftime("%Y%m%d%H%M%S"))
        return self._stamp
