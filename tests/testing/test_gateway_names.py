"""Names that look real."""

import re
from random import Random

from suno_async.testing.gateway import names


def test_ids_look_like_those_of_their_era():
    """2026: task_ and 32 letters and digits; 2025: a uuid. None repeats."""
    new, old = names.task_ids(Random(1), 1000, "2026"), names.task_ids(Random(1), 1000, "2025")
    assert all(re.fullmatch(r"task_[A-Za-z0-9]{32}", task_id) for task_id in new)
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", task_id) for task_id in old)
    assert len({*new, *old}) == 2000


def test_ids_do_not_depend_on_how_many_are_made_at_once():
    """A thousand at once are the same as one thousand times one."""
    one_by_one = Random(1)
    assert names.task_ids(Random(1), 9, "2026") == [names.task_ids(one_by_one, 1, "2026")[0] for _ in range(9)]


def test_words_follow_from_their_bytes():
    """The same bytes make the same title and verse."""
    chance = names.digest("x", 16)
    assert names.title(chance) == names.title(names.digest("x", 16))
    assert names.verse(chance).startswith("[Verse]\n")
