"""The guided run: the same properties under atheris, which looks for inputs that reach new lines.

``.ci/fuzz`` starts it. The first byte of an input says which property is tried. The others are the answer itself, or
the throws of the dice that damage a recorded one.
"""

import argparse
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["suno_async.protocol"]):
    from corpus import ACCEPTED, BATCHES, RECORDINGS, REFUSED, SINGLES
    from documents import written
    from mutations import damage, damage_short
    from properties import (
        check_accepted,
        check_any,
        check_any_outcome,
        check_damaged,
        check_damaged_batch,
        check_refused,
    )

STATUSES = [200, 200, 200, 204, 302, 400, 401, 404, 429, 500, 503]
_MOST = 8192
HEADERS = [{}, {"Retry-After": "7"}, {"Retry-After": "1e9"}, {"Location": "https://x/"}, {"X-Oneapi-Request-Id": "r"}]


class Fed(Random):
    """Dice whose throws are given; when they have run out, each is 0."""

    def __init__(self, throws: bytes) -> None:
        super().__init__(0)
        self._throws = throws
        self._next = 0

    @property
    def left(self) -> bool:
        """Some have not been thrown yet."""
        return self._next < len(self._throws)

    def getrandbits(self, k: int, /) -> int:
        """The next throw."""
        size = (k + 7) // 8
        throw = self._throws[self._next : self._next + size]
        self._next += size
        return int.from_bytes(throw, "little") & ((1 << k) - 1)

    def random(self) -> float:
        """The next throw, from 0 to 1."""
        return self.getrandbits(53) / 2**53


def any_look(throws: bytes) -> None:
    """An answer to a look: status, freshness and headers from two bytes, the rest is the body."""
    status = STATUSES[throws[0] % len(STATUSES)]
    check_any(status, throws[2:], fresh=throws[0] > 127, headers=HEADERS[throws[1] % len(HEADERS)])


def any_submission(throws: bytes) -> None:
    """An answer to a submission."""
    check_any_outcome(STATUSES[throws[0] % len(STATUSES)], throws[2:])


def damaged_look(throws: bytes) -> None:
    """Recorded answers about one task, damaged, for as long as there are throws."""
    dice = Fed(throws)
    while dice.left:
        told = dice.choice(SINGLES)
        check_damaged(told, damage(told, dice), fresh=bool(dice.randrange(2)))


def damaged_batch(throws: bytes) -> None:
    """Recorded answers about many tasks, damaged."""
    dice = Fed(throws)
    while dice.left:
        told = dice.choice(BATCHES)
        check_damaged_batch(told, damage(told, dice))


def damaged_submission(throws: bytes) -> None:
    """Recorded acceptances and recorded refusals, damaged."""
    dice = Fed(throws)
    while dice.left:
        accepted = dice.choice(ACCEPTED)
        check_accepted(accepted, damage_short(accepted.told, dice, accepted.behind))
        status, told = dice.choice(REFUSED)
        check_refused(status, damage_short(told, dice))


PROPERTIES: list[Callable[[bytes], None]] = [any_look, any_submission, damaged_look, damaged_batch, damaged_submission]


def once(data: bytes) -> None:
    """One input."""
    if 4 <= len(data) <= _MOST:
        PROPERTIES[data[0] % len(PROPERTIES)](data[1:])


def seeds() -> Iterator[bytes]:
    """The recordings as they are, and throws for the dice."""
    for recording in RECORDINGS.values():
        body = recording["body"]
        raw = body.encode() if isinstance(body, str) else written(body)[0]
        status = STATUSES.index(recording["status"]) if recording["status"] in STATUSES else 0
        for number in (0, 1):
            yield bytes([number, status, 0]) + raw
    for seed in range(300):
        yield bytes([2 + seed % 3]) + Random(seed).randbytes(200)


def replay(path: Path) -> int:
    """Tries the input in a file once more, and shows what it was and where it failed."""
    data = path.read_bytes()
    print(f"{PROPERTIES[data[0] % len(PROPERTIES)].__name__} of {data[1:]!r}")
    try:
        once(data)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
        traceback.print_exc()
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "damaged" in frame.f_locals:
                print(f"damaged to {frame.f_locals['damaged']}")
                break
        return 1
    print("it holds")
    return 0


def main() -> int:
    """Fuzzes for some seconds, or replays one input."""
    parser = argparse.ArgumentParser(prog=".ci/fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="how long to look (60)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="try this input once")
    parser.add_argument("--corpus", type=Path, required=True, help="where inputs that reach new lines are kept")
    asked = parser.parse_args()
    if asked.replay is not None:
        return replay(asked.replay)
    asked.corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (asked.corpus / f"seed-{number:03}").write_bytes(seed)
    options = [f"-max_total_time={asked.seconds}", f"-artifact_prefix={asked.corpus.parent}/", f"-max_len={_MOST}"]
    atheris.Setup(
        [sys.argv[0], *options, "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1", str(asked.corpus)], once
    )
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
