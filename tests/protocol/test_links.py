"""The songs in a text of Markdown: Suno-API's template, Suno2openai's, and links as anybody writes them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async import Song
from suno_async.protocol.links import songs_in

QUICK = settings(max_examples=150, deadline=None, derandomize=True)
ONE, TWO = "0f3a1b2c-1111-4222-8333-944445555666", "7d9e8f10-aaaa-4bbb-8ccc-dddddeeeefff"
CDN = "https://cdn1.suno.ai"


def version(clip_id: str, audio: str, video: str = "", image: str = "") -> str:
    """One version as Suno-API's template writes it."""
    return (
        f"**版本ID： ** {clip_id}\n**音乐时长： ** 120.5秒\n**风格：   ** pop\n**资源链接：**\n"
        f"- 🖼 封面: ![封面]({image})\n- 🎧 音频: [点击听歌]({audio})\n- 🎬 视频: [点击观看]({video})\n"
    )


HEAD = (
    "请求成功，正在生成歌曲，请稍等片刻...\n🎵🎵***\n\n###🎵 歌曲名： A Cat\n**模型版本：** chirp-v3\n"
    "**歌词：**\n[Verse]\nmeow\n\n"
)
SUNO_API = (
    HEAD
    + version(ONE, f"{CDN}/{ONE}.mp3", f"{CDN}/{ONE}.mp4", f"https://cdn2.suno.ai/image_{ONE}.jpeg")
    + version(TWO, f"{CDN}/{TWO}.mp3", f"{CDN}/{TWO}.mp4", f"https://cdn2.suno.ai/image_{TWO}.jpeg")
)
BOTH = tuple(
    Song(
        id=one,
        title="A Cat",
        audio_url=f"{CDN}/{one}.mp3",
        video_url=f"{CDN}/{one}.mp4",
        image_url=f"https://cdn2.suno.ai/image_{one}.jpeg",
    )
    for one in (ONE, TWO)
)


def test_suno_apis_template_is_two_songs():
    """Each version with its id, its three links, and the title that heads them all."""
    assert songs_in(SUNO_API) == BOTH


def test_the_templates_first_edition_is_read_too():
    """Without the blanks behind the labels."""
    assert songs_in(SUNO_API.replace("： ** ", "：** ")) == BOTH


def test_what_is_said_twice_is_one_song():
    """Each song once, in the order of their first mention."""
    assert songs_in(SUNO_API + SUNO_API) == BOTH


def test_a_version_without_links_has_its_id():
    """A song that is not rendered yet, or failed, can still be asked for."""
    assert songs_in(HEAD + version(ONE, "")) == (Song(id=ONE, title="A Cat"),)


def test_files_elsewhere_belong_to_the_version_they_stand_below():
    """A gateway that keeps the files itself gives them names of its own."""
    links = [f"https://files.example/2026/{name}" for name in ("a.mp3", "b.mp4", "c.png", "d.mp3", "e.mp4", "f.png")]
    found = songs_in(HEAD + version(ONE, *links[:3]) + version(TWO, *links[3:]))
    assert [(song.id, song.audio_url, song.video_url, song.image_url) for song in found] == [
        (ONE, *links[:3]),
        (TWO, *links[3:]),
    ]


def test_a_files_other_id_does_not_make_another_song():
    """The version's id counts, not that of the place where its file is kept."""
    assert songs_in(version(ONE, f"https://files.example/{TWO}.mp3")) == (
        Song(id=ONE, audio_url=f"https://files.example/{TWO}.mp3"),
    )


SUNO2OPENAI = f"""## ⭐ 歌曲ID
- **🎵 歌曲id1️⃣**：{ONE}
- **🎵 歌曲id2️⃣**：{TWO}
## 🧩 歌曲信息
- **🔎 歌名**：猫
- **💄 类型**：pop
## ✨ 歌曲图片
![封面图片_大](https://cdn2.suno.ai/image_large_{ONE}.jpeg)
## 🤩即刻享受
- **📌 音乐链接1️⃣(实时)**：https://audiopipe.suno.ai/?item_id={ONE}
- **📌 音乐链接2️⃣(实时)**：https://audiopipe.suno.ai/?item_id={TWO}
"""


def test_ids_that_are_listed_first_find_their_links():
    """Suno2openai's text: streams by the id in them; the title stands behind the ids."""
    one, two = songs_in(SUNO2OPENAI)
    assert (one.id, one.title, one.audio_url) == (ONE, "猫", f"https://audiopipe.suno.ai/?item_id={ONE}")
    assert one.image_url == f"https://cdn2.suno.ai/image_large_{ONE}.jpeg"
    assert (two.id, two.title, two.audio_url, two.image_url) == (
        TWO,
        "猫",
        f"https://audiopipe.suno.ai/?item_id={TWO}",
        "",
    )


def test_a_file_takes_the_place_of_a_stream_and_never_the_reverse():
    """Streams end when the song is complete; the links for good come later in the text, or before."""
    files = f"- 🎵 歌曲1️⃣：{CDN}/{ONE}.mp3 \n- 🎵 歌曲2️⃣：{CDN}/{TWO}.mp3 \n"
    for said in (SUNO2OPENAI + files, files + SUNO2OPENAI):
        assert [song.audio_url for song in songs_in(said)] == [f"{CDN}/{ONE}.mp3", f"{CDN}/{TWO}.mp3"]


LINKS = {
    "Markdown": (f"[Cat]({CDN}/{ONE}.mp3)", [(ONE, f"{CDN}/{ONE}.mp3")]),
    "plain": (f"here: {CDN}/{ONE}.mp3.", [(ONE, f"{CDN}/{ONE}.mp3")]),
    "in brackets": (f"({CDN}/{ONE}.mp3)", [(ONE, f"{CDN}/{ONE}.mp3")]),
    "in bold": (f"**{CDN}/{ONE}.mp3**", [(ONE, f"{CDN}/{ONE}.mp3")]),
    "in angles": (f"<{CDN}/{ONE}.mp3>", [(ONE, f"{CDN}/{ONE}.mp3")]),
    "before Chinese": (f"{CDN}/{ONE}.mp3。好听", [(ONE, f"{CDN}/{ONE}.mp3")]),
    "wav, signed": (f"https://x.example/{ONE}.WAV?X-Sig=a%2Fb&e=1#t=3", [(ONE, f"https://x.example/{ONE}.WAV?X-Sig=a%2Fb&e=1#t=3")]),
    "no id in it": ("http://x.example/a.mp3", [("", "http://x.example/a.mp3")]),
    "a name in it": ("https://x.example/f/clip-00042.mp3", [("clip-00042", "https://x.example/f/clip-00042.mp3")]),
    "a name before two endings": ("https://x.example/f/clip-00042.hq.mp3", [("clip-00042", "https://x.example/f/clip-00042.hq.mp3")]),
    "a name, signed": ("https://x.example/f/clip-00042.mp3?sig=a/b", [("clip-00042", "https://x.example/f/clip-00042.mp3?sig=a/b")]),
    "a page behind a slash": (f"https://x.example/{ONE}/mp3 https://docs.example/mp3", []),
    "a page below a file": (f"https://x.example/{ONE}.mp3/page https://x.example/a.mp3.html", []),
    "a host like a file": (f"{CDN}/{ONE}.mp3 https://cats.mov https://cats.mov?a=b.mp4", [(ONE, f"{CDN}/{ONE}.mp3")]),
    "two without an id": ("https://x.example/a.mp3 https://x.example/b.mp3", [("", "https://x.example/a.mp3"), ("", "https://x.example/b.mp3")]),
    "the same twice": ("https://x.example/a.mp3 https://x.example/a.mp3", [("", "https://x.example/a.mp3")]),
    "a stream": (f"https://audiopipe.suno.ai/?item_id={ONE}", [(ONE, f"https://audiopipe.suno.ai/?item_id={ONE}")]),
    "a stream of a name": ("https://audiopipe.suno.ai/?item_id=clip-00042", [("clip-00042", "https://audiopipe.suno.ai/?item_id=clip-00042")]),
    "a file elsewhere below its stream": (f"https://audiopipe.suno.ai/?item_id={ONE}\nhttps://x.example/a.mp3", [(ONE, "https://x.example/a.mp3")]),
    "Suno's own, no ending": (f"{CDN}/{ONE}", [(ONE, f"{CDN}/{ONE}")]),
    "told by its words": (f"[点击听歌](https://x.example/s/{ONE})", [(ONE, f"https://x.example/s/{ONE}")]),
    "in English": (f"Audio: https://x.example/s/{ONE}", [(ONE, f"https://x.example/s/{ONE}")]),
    "a video alone": (f"[观看](https://x.example/{ONE})", [(ONE, "")]),
    "in capitals": (f"HTTPS://CDN1.suno.ai/{ONE}.MP3", [(ONE, f"HTTPS://CDN1.suno.ai/{ONE}.MP3")]),
    "a picture alone": (f"![cover](https://cdn2.suno.ai/image_{ONE}.jpeg)", []),
    "a picture without an ending": (f"![音频](https://x.example/{ONE})", []),
    "a page": (f"[听歌](https://suno.com/song/{ONE}) and https://example.com/docs/{ONE}", []),
    "no web": (f"ftp://x.example/{ONE}.mp3 javascript:{ONE}.mp3 file:///{ONE}.mp3 //x.example/{ONE}.mp3", []),
    "no host": ("https://.mp3 https:///a.mp3 http://", []),
    "a task's id": (f"任务ID：{ONE}\ntask id: {TWO}\ntask_id: {ONE}", []),
    "an id in English": (f"- Song ID: `{ONE}`", [(ONE, "")]),
    "words": ("grid: something-long, valid: nothing-here", []),
    "nothing": ("", []),
}  # fmt: skip


@pytest.mark.parametrize(("said", "found"), LINKS.values(), ids=LINKS)
def test_links_to_audio_are_songs(said, found):
    """However they are written; what cannot be told to be a song is none."""
    assert [(song.id, song.audio_url) for song in songs_in(said)] == found


def test_what_stands_before_its_song_belongs_to_it():
    """A cover and a video without any id above a link."""
    said = "![cover](https://x.example/1.png)\n[video](https://x.example/1.mp4)\n[audio](https://x.example/1.mp3)"
    assert songs_in(said) == (
        Song(
            audio_url="https://x.example/1.mp3",
            video_url="https://x.example/1.mp4",
            image_url="https://x.example/1.png",
        ),
    )


def test_names_that_are_no_uuids_find_their_links():
    """Some gateways name their clips otherwise."""
    said = "clip id: clip-000001\nclip id: clip-000002\nhttps://x.example/clip-000001.mp3 https://x.example/clip-000002.mp3"
    assert [(song.id, song.audio_url[-14:]) for song in songs_in(said)] == [
        ("clip-000001", "lip-000001.mp3"),
        ("clip-000002", "lip-000002.mp3"),
    ]


def test_a_song_keeps_its_title():
    """One without a title has the first that follows."""
    said = f"{CDN}/{ONE}.mp3\ntitle: One\ntitle: Two\n{CDN}/{TWO}.mp3"
    assert [song.title for song in songs_in(said)] == ["One", "Two"]


def test_a_title_is_shown_without_its_marks():
    """Stars and quotes of Markdown are none of it, letters are."""
    assert songs_in(f"**title**: **`X Cat X`** \n{CDN}/{ONE}.mp3")[0].title == "X Cat X"


def test_each_song_has_the_title_above_it():
    """Two titles, two songs; a blank one is none, and a long one is cut and one line."""
    said = f"Title: One\n{CDN}/{ONE}.mp3\n**Title:** Two\u202e\n{CDN}/{TWO}.mp3\nTitle:\nhttps://x.example/a.mp3"
    assert [song.title for song in songs_in(said)] == ["One", "Two", "Two"]
    assert songs_in(f"title: {'x' * 999}\n{CDN}/{ONE}.mp3")[0].title == "x" * 200


PIECES = [ONE, TWO, "https://", CDN, "/", ".mp3", ".mp4", "\n", "ID：", "歌名：", "[", "](", ")", " ", "x", "!"]


@QUICK
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text())
def test_any_text_has_songs_or_none(said):
    """No text raises; no id and no link comes twice, and every link is of the web and stands in the text."""
    found = songs_in(said)
    links = [link for song in found for link in (song.audio_url, song.video_url, song.image_url) if link]
    ids = [song.id for song in found if song.id]
    assert len(set(links)) == len(links)
    assert len(set(ids)) == len(ids)
    assert all(link in said and link.startswith("https://") for link in links)
    assert all(name in said for name in ids)


MEGABYTES = [
    "https://" * 10**5,
    "title:\n" * 10**5,
    " " * 10**6,
    "id:" * 10**5,
    "![" * 10**5,
    "![" * 5 * 10**5 + " https://cdn.example/c",
    "![](" * 2 * 10**5 + " https://cdn.example/c",
    "![a]" * 2 * 10**5 + " https://cdn.example/c",
    f"{CDN}/{ONE}.mp3 " * 20_000,
    "\n".join(f"https://x.example/{number}.mp3" for number in range(20_000)),
    "\n".join(f"title: a\nid: {number:012}" for number in range(20_000)),
]


@pytest.mark.parametrize("said", MEGABYTES)
def test_a_megabyte_of_anything_is_read_in_its_turn(said):
    """The time grows with the length and not with its square: a square would take minutes here."""
    assert len(songs_in(said)) in {0, 1, 20_000}
