"""The upstream."""

import statistics
from random import Random

from suno_async.testing.gateway import songs
from suno_async.testing.gateway.songs import Order, Songs


def test_songs_take_log_normal_times():
    """Median and spread are as asked; the stream begins at 25 to 35 % of the time."""
    upstream = Songs(Random(1), median=100.0, sigma=0.35, failure_rate=0.0)
    plans = [upstream.plan("MUSIC") for _ in range(4000)]
    lengths = sorted(plan.ends for plan in plans)
    assert 95 < statistics.median(lengths) < 105
    assert 1.38 < lengths[3365] / lengths[2000] < 1.46  # one sigma: exp(0.35) = 1.42
    assert all(0.25 <= plan.starts / plan.ends <= 0.35 and not plan.reason for plan in plans)


def test_lyrics_take_about_twelve_seconds():
    """The median of lyrics does not follow that of songs, nor does that of uploads and conversions."""
    upstream = Songs(Random(1), median=1000.0, sigma=0.35, failure_rate=0.0)
    for action in ("LYRICS", "UPLOAD", "WAV"):
        assert 11 < statistics.median(upstream.plan(action).ends for _ in range(2000)) < 15


def test_failures_come_early_and_have_reasons():
    """The share that was asked for fails, 3 to 20 s after its start."""
    upstream = Songs(Random(1), median=100.0, sigma=0.35, failure_rate=0.2)
    plans = [upstream.plan("MUSIC") for _ in range(4000)]
    failed = [plan for plan in plans if plan.reason]
    assert 0.17 < len(failed) / len(plans) < 0.23
    assert all(3 <= plan.ends - plan.starts <= 20 for plan in failed)
    assert {plan.reason for plan in failed} == set(songs.REASONS)


def test_the_fate_of_one_task_does_not_move_the_next():
    """Failure or not, song or lyrics: the next plan is the same."""
    first, second = (Songs(Random(1), median=100.0, sigma=0.35, failure_rate=rate) for rate in (0.0, 0.0))
    first.plan("MUSIC")
    second.plan("LYRICS")
    assert first.plan("MUSIC") == second.plan("MUSIC")


def test_clips_follow_from_their_task():
    """Two clips with ids of their own that stay the same from stream to end; only the URL and the length change."""
    order = Order(title="My song", tags="pop", prompt="la", model="chirp-v4")
    streaming = songs.clips(order, "task_x", "http://g", complete=False)
    complete = songs.clips(order, "task_x", "http://g", complete=True)
    assert [clip["id"] for clip in streaming] == [clip["id"] for clip in complete]
    assert streaming[0]["id"] != streaming[1]["id"]
    assert streaming[0]["audio_url"] == f"http://g/audiopipe/?item_id={streaming[0]['id']}"
    assert complete[0]["audio_url"] == f"http://g/audio/{complete[0]['id']}.wav"
    assert (streaming[0]["metadata"]["duration"], type(complete[0]["metadata"]["duration"])) == (None, float)
    assert 60 <= complete[0]["metadata"]["duration"] <= 240
    assert (complete[0]["title"], complete[0]["model_name"]) == ("My song", "chirp-v4")


def test_ids_follow_from_their_task():
    """As many as are wanted, each another one, and the first ones the same however many there are."""
    ids = songs.clip_ids("task_x", 12)
    assert len(set(ids)) == 12
    for count in (0, 1, 2, 5):
        assert songs.clip_ids("task_x", count) == ids[:count]
    assert [clip["id"] for clip in songs.clips(Order(), "task_x", "u", complete=True)] == ids[:2]


def test_what_was_not_asked_for_is_made_up():
    """A song without title and words gets some, lyrics too."""
    clip = songs.clips(Order(), "task_x", "u", complete=True)[0]
    assert clip["title"]
    assert clip["metadata"]["prompt"].startswith("[Verse]")
    assert songs.lyrics(Order(action="LYRICS"), "task_x")["text"].startswith("[Verse]")
    assert songs.lyrics(Order(action="LYRICS", title="T"), "task_x")["title"] == "T"
