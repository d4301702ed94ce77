"""How often one client may ask."""

from collections import deque


class Limit:
    """new-api's limiter in memory (common/rate-limit.go): so many requests in so many seconds of one client.

    A request that is refused does not count. All clients of a local gateway have one address, so they share a limit.
    """

    def __init__(self, most: int, seconds: int) -> None:
        self._most, self._seconds = most, seconds
        self._times: deque[int] = deque()

    def admits(self, now: float) -> bool:
        """Count one request, unless there were too many."""
        second = int(now)
        if len(self._times) >= self._most:
            if second - self._times[0] < self._seconds:
                return False
            self._times.popleft()
        self._times.append(second)
        return True
