"""The clips of a private build."""

from suno_async.testing.gateway import songs
from suno_async.testing.gateway.clips import ids_of, length_of, made
from suno_async.testing.gateway.songs import Order, Recipe


def test_an_ordinary_song_has_the_clips_of_stock():
    """Ids, title, files and metadata are those that a stock gateway shows; a private build adds to them."""
    order = Order(title="My song", tags="pop", prompt="la", recipe=Recipe())
    for complete in (False, True):
        stock = songs.clips(order, "task_x", "http://g", complete=complete)
        shown = made(order, "task_x", "http://g", complete=complete)
        assert [clip["id"] for clip in shown] == [clip["clip_id"] for clip in shown] == ids_of(order, "task_x")
        for old, new in zip(stock, shown, strict=True):
            assert {**old, "video_url": "", "metadata": 0}.items() <= {**new, "video_url": "", "metadata": 0}.items()
            assert old["metadata"].items() <= new["metadata"].items()
        assert {clip["state"] for clip in shown} == {"succeeded" if complete else "running"}
    assert [clip["duration"] for clip in shown] == [length_of(order, clip["id"]) for clip in shown]


def test_a_clip_without_a_recipe_is_an_ordinary_one():
    """Planted tasks were asked for by nobody; their lengths are stock's."""
    (first, second), (other, _) = (
        made(Order(), "task_x", "u", complete=True),
        songs.clips(Order(), "task_x", "u", complete=True),
    )
    assert (first["id"], first["title"], first["duration"]) == (
        other["id"],
        other["title"],
        songs.claimed_length(other["id"]),
    )
    assert second["metadata"]["type"] == "gen"
    assert length_of(Order(), first["id"]) == songs.claimed_length(first["id"])


def test_every_field_is_kept():
    """Fields of the submission, and those inside of its metadata, show in the clip's; none overrules what is true."""
    fields = {
        "title": "T",
        "negative_tags": "drums",
        "duration": 1,
        "metadata": {"vocal_gender": "f", "control_sliders": {"style_weight": 0.5}},
        "notify_hook": "http://h",
    }
    clip = made(Order(recipe=Recipe(fields=fields, kind="cover", source="s")), "task_x", "u", complete=True)[0]
    told = clip["metadata"]
    assert (told["negative_tags"], told["vocal_gender"], told["control_sliders"]) == (
        "drums",
        "f",
        {"style_weight": 0.5},
    )
    assert (told["type"], told["audio_prompt_id"], told["gpt_description_prompt"]) == ("cover", "s", None)
    assert told["duration"] == clip["duration"] > 1
    assert not {"notify_hook", "metadata", "title"} & set(told)


def test_an_instrumental_has_no_words():
    """Nothing is made up for it."""
    clip = made(Order(recipe=Recipe(fields={"make_instrumental": True})), "task_x", "u", complete=True)[0]
    assert (clip["prompt"], clip["metadata"]["prompt"]) == ("", "")


def test_there_is_one_clip_for_each_part():
    """Each named after its part, with an id of its own; words alone have none."""
    order = Order(title="T", recipe=Recipe(parts=(" - Vocals", " - Drums", " - Bass"), length=7.5))
    shown = made(order, "task_x", "u", complete=True)
    assert [clip["title"] for clip in shown] == ["T - Vocals", "T - Drums", "T - Bass"]
    assert len({clip["id"] for clip in shown}) == 3
    assert {clip["duration"] for clip in shown} == {7.5}
    assert ids_of(order, "task_x") == [clip["id"] for clip in shown]
    assert ids_of(Order(action="LYRICS"), "task_x") == []


def test_a_part_goes_on_from_its_head():
    """A continuation is as long as what it keeps, and a part whose length follows from its id."""
    clip_id = ids_of(Order(), "task_x")[0]
    assert length_of(Order(recipe=Recipe(head=30.0)), clip_id) == round(30 + songs.claimed_length(clip_id), 3)


def test_an_upload_is_where_it_was_put():
    """Its own file, once it is complete."""
    order = Order(recipe=Recipe(url="http://g/storage/x.mp3", parts=("",)))
    assert made(order, "task_x", "u", complete=True)[0]["audio_url"] == "http://g/storage/x.mp3"
    assert made(order, "task_x", "u", complete=False)[0]["audio_url"].startswith("u/audiopipe/")
