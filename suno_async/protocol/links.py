"""The links: what songs a text of Markdown tells of.

Each gateway has a template of its own. Suno-API's (template/suno.yaml) names each version and then links its cover,
its audio and its video; Suno2openai's lists the ids first, and one song's links stand in several places. So what
belongs together is told by the id in a link, and only where there is none by what stands above it.
"""

import re
from typing import Literal

from .lenient import one_line
from .models import Song

_Kind = Literal["audio_url", "video_url", "image_url"]

_URL = re.compile(r"https?://[a-z0-9][a-z0-9._~:/?#@!$&'*+,;=%-]*", re.IGNORECASE)
_BEHIND = ".,;:!?*_~'"
"""What a sentence or Markdown puts behind a link is none of it."""
_FILE = re.compile(r"https?://[^/?#]+/[^?#]*\.([a-z0-9]+)(?:[?#]|\Z)", re.IGNORECASE).match
"""A link whose path ends as a file's name does; a host ends in dots, too: https://cats.mov."""
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ITEM = re.compile(r"[?&]item_id=([A-Za-z0-9_-]+)").search
_NAMED = re.compile(r"(?:image_(?:large_)?)?([A-Za-z0-9_-]{8,64})").fullmatch
_LABEL = r"\W*(?:{})\W{{0,8}}?[:：][\s*`]*"
_TITLE = re.compile(_LABEL.format("歌曲名称?|歌名|曲名|标题|song (?:name|title)|title") + r"(.*)", re.IGNORECASE).match
_ID = re.compile(
    r"(?<![a-z])(?<!task.)(?<!任务)id[\W\d]{0,8}?[:：][\s*`]*([A-Za-z0-9][A-Za-z0-9_-]{7,63})", re.IGNORECASE
).search
_SONG_PAGE = re.compile(r"https?://[a-z.]*suno\.(?:ai|com)/song/", re.IGNORECASE).match
_STREAM = re.compile(r"https?://audiopipe\.", re.IGNORECASE).match
_CDN = re.compile(r"https?://cdn[0-9]*\.suno\.(?:ai|com)/", re.IGNORECASE).match
_ENDINGS: dict[str, _Kind] = {
    **dict.fromkeys(("mp3", "wav", "m4a", "flac", "ogg", "aac"), "audio_url"),
    **dict.fromkeys(("mp4", "webm", "mov"), "video_url"),
    **dict.fromkeys(("png", "jpg", "jpeg", "webp", "gif"), "image_url"),
}
_WORDS: tuple[tuple[re.Pattern[str], _Kind], ...] = (
    # no bracket inside: in a row of them each would be read to its end
    (re.compile(r"!\[[^\[\]]*\]\(\Z"), "image_url"),
    (re.compile(r"视频|观看|\b(?:video|watch)\b", re.IGNORECASE), "video_url"),
    (re.compile(r"音频|听歌|试听|\b(?:audio|listen)\b", re.IGNORECASE), "audio_url"),
)
"""Where the link itself does not tell: what stands before it."""


def songs_in(text: str) -> tuple[Song, ...]:
    """The songs that a text names or links, each once, in the order of their first mention.

    A song has the id and the title that stand with it, or the id in its link, and of each kind of link the first one;
    but a file takes the place of a live stream. One that was named and has no link has its id. Only links of ``http``
    and ``https`` count.
    """
    shelf = _Shelf()
    for line in text.splitlines():
        shelf.read(line)
    return shelf.songs()


class _Draft:
    """A song of which more may come."""

    __slots__ = ("id", "links", "named", "title")

    def __init__(self, song_id: str, title: str) -> None:
        self.id = song_id
        self.title = title
        self.named = False
        """The text says that this is a song, also where it has no link."""
        self.links: dict[str, str] = {}

    def lacks(self, kind: _Kind, url: str) -> bool:
        """True if there is no such link yet, or only a stream where this is a file."""
        known = self.links.get(kind)
        return known is None or (_STREAM(known) is not None and _STREAM(url) is None)

    def song(self) -> Song:
        """What is known of it."""
        audio, video, image = (self.links.get(kind, "") for kind in ("audio_url", "video_url", "image_url"))
        return Song(id=self.id, title=self.title, audio_url=audio, video_url=video, image_url=image)


class _Shelf:
    """The songs of one text."""

    def __init__(self) -> None:
        self._drafts: list[_Draft] = []
        self._by_id: dict[str, _Draft] = {}
        self._latest: _Draft | None = None
        """Links without an id belong to this one."""
        self._title = ""
        self._untitled: list[_Draft] = []
        self._early: dict[str, str] = {}
        """Pictures and videos that stand before their song."""
        self._seen: set[str] = set()

    def read(self, line: str) -> None:
        """One more line."""
        end = 0
        for match in _URL.finditer(line):
            url = match[0].rstrip(_BEHIND)
            kind = _kind(url, line[end : match.start()])
            end = match.end()
            if kind is not None and url not in self._seen:
                self._seen.add(url)
                self._put(kind, url)
        if end:
            return
        if (title := _TITLE(line)) and (told := one_line(title[1].strip("*` "))):
            self._entitle(told)
        elif name := _ID(line):
            self._latest = self._by_id.get(name[1]) or self._draft(name[1])
            self._latest.named = True

    def songs(self) -> tuple[Song, ...]:
        """What can be heard or seen, or was named."""
        told = [draft for draft in self._drafts if draft.named or draft.links.keys() - {"image_url"}]
        return tuple(draft.song() for draft in told)

    def _draft(self, song_id: str) -> _Draft:
        draft = _Draft(song_id, self._title)
        self._drafts.append(draft)
        if song_id:
            self._by_id[song_id] = draft
        if not draft.title:
            self._untitled.append(draft)
        return draft

    def _entitle(self, title: str) -> None:
        """A title is that of the songs that follow, and of those before that have none."""
        self._title = title
        for draft in self._untitled:
            draft.title = title
        self._untitled.clear()

    def _put(self, kind: _Kind, url: str) -> None:
        name, stem = _names(url)
        draft = self._by_id.get(name) or self._by_id.get(stem)
        if draft is None and self._latest is not None and self._latest.lacks(kind, url):
            draft = self._latest
        if draft is None and (name or kind == "audio_url"):
            draft = self._draft(name or stem)
            draft.links, self._early = self._early, {}
            self._latest = draft
        if draft is None:
            self._early.setdefault(kind, url)
        elif draft.lacks(kind, url):
            draft.links[kind] = url


def _names(url: str) -> tuple[str, str]:
    """The id in a link, and what else may be one: each "" where there is none."""
    item = _ITEM(url)
    uuids = _UUID.findall(url)
    last = re.split(r"[?#]", url, maxsplit=1)[0].rpartition("/")[2]
    stem = _NAMED(last.partition(".")[0])
    name = item[1] if item else (uuids[-1] if uuids else "")
    return name, stem[1] if stem else ""


def _kind(url: str, before: str) -> _Kind | None:
    """What a link leads to; None for a page, or what cannot be told."""
    if _SONG_PAGE(url):
        return None
    file = _FILE(url)
    kind = _ENDINGS.get(file[1].lower()) if file is not None else None
    if kind is not None:
        return kind
    if _STREAM(url):
        return "audio_url"
    found = next((kind for words, kind in _WORDS if words.search(before)), None)
    return found or ("audio_url" if _CDN(url) else None)
