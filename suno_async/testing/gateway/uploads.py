"""The uploads of a private build: by URL, and a file in five steps; the storage that it goes to sees no key."""

import wave
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from random import Random

from aiohttp import BodyPartReader, web
from msgspec import Struct

from . import names
from .acts import plain, plant
from .answers import Answer
from .audio import missing, ranged
from .desk import Desk
from .orders import WHOLE, refused
from .songs import Order, Recipe
from .submissions import Ask

KINDS = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "webm": "audio/webm",
}
LARGEST = 25 * 2**20  # content-length-range of the policy
EXAMINED = 6.0  # seconds from upload-finish to the verdict
XML = "application/xml"


class Slot(Struct, eq=False):
    """A place for one file, and what has become of it."""

    id: str
    account: int
    extension: str
    fields: dict[str, str]  # {}: the storage takes a PUT
    content: bytes | None = None
    title: str = ""
    finished: float | None = None  # when upload-finish came
    error: str | None = None
    clip_id: str = ""

    @property
    def key(self) -> str:
        """Its name in the storage."""
        return f"{self.id}.{self.extension}"


class Uploads:
    """All slots. Of a file nothing is read but the length of a WAV; of a URL nothing at all."""

    def __init__(self, desk: Desk, seed: object) -> None:
        self._desk = desk
        self._ids = Random(f"{seed}/uploads")
        self._slots: dict[str, Slot] = {}

    async def by_url(self, ask: Ask) -> Answer:
        """A task that ends with the clip; the URL is believed."""
        url = ask.fields("url")["url"]
        if not url.startswith(("http://", "https://")):
            raise refused("url is no URL")
        title = url.rpartition("/")[2].partition("?")[0].rpartition(".")[0]
        recipe = Recipe(kind="upload", parts=WHOLE, fields={"make_instrumental": True})
        order = Order(action="UPLOAD", title=title, price=0, account=ask.account, recipe=recipe)
        return self._desk.submitted(*self._desk.take(order, ask.key, ask.origin))

    async def slot(self, ask: Ask) -> Answer:
        """Where the file shall go, and what must go with it (a presigned POST of S3)."""
        extension = ask.fields("extension")["extension"].lower()
        if extension not in KINDS:
            raise refused(f"extension {extension} is not supported")
        slot = Slot(names.uuid_text(self._ids.randbytes(16)), ask.account, extension, {})
        url = f"{self._desk.encoder.url}/storage/{slot.key}"
        self._slots[slot.id] = slot
        if self._desk.faults.first(("upload_put",)):
            return plain({"id": slot.id, "url": f"{url}?X-Amz-Signature={self._ids.randbytes(32).hex()}"})
        slot.fields = {
            "Content-Type": KINDS[extension],
            "key": slot.key,
            "AWSAccessKeyId": names.alnum(self._ids, 20).upper(),
            "policy": names.alnum(self._ids, 64),
            "signature": names.alnum(self._ids, 28),
        }
        return plain({"id": slot.id, "url": url, "fields": slot.fields, "is_file_uploaded": False})

    async def finish(self, ask: Ask) -> Answer:
        """The file is there: examine it."""
        slot = self._slot(ask)
        asked = ask.fields("upload_type", "upload_filename")
        if slot.content is None:
            raise refused("file is not uploaded")
        if slot.finished is None:
            slot.title = asked["upload_filename"].rpartition(".")[0] or asked["upload_filename"]
            slot.finished = self._desk.clock.now()
            matches = self._desk.faults.first(("upload_matches",))
            slot.error = "audio matches an existing recording" if matches else None
            slot.error = slot.error or (None if slot.content else "audio could not be read")
        return plain({})

    async def status(self, ask: Ask) -> Answer:
        """How far it is: pending, complete or error (E21)."""
        slot = self._slot(ask)
        status = self._status(slot)
        examined = status != "pending"
        return plain(
            {
                "id": slot.id,
                "status": status,
                "error_message": slot.error if examined else None,
                "s3_id": f"m_{slot.id}" if status == "complete" else None,
                "title": slot.title,
                "image_url": f"{self._desk.encoder.url}/image/{slot.id}.svg" if status == "complete" else None,
            }
        )

    async def clip(self, ask: Ask) -> Answer:
        """The clip that a complete upload becomes; the same each time."""
        slot = self._slot(ask)
        if self._status(slot) != "complete":
            raise refused("upload is not complete")
        if not slot.clip_id:
            url = f"{self._desk.encoder.url}/storage/{slot.key}"
            fields = {"make_instrumental": True}
            recipe = Recipe(kind="upload", parts=WHOLE, fields=fields, length=_length(slot.content), url=url)
            order = Order(action="UPLOAD", title=slot.title, price=0, account=ask.account, recipe=recipe)
            row = plant(self._desk, order)
            slot.clip_id = self._desk.encoder.columns(row)["data"][0]["id"]
        return plain({"clip_id": slot.clip_id})

    async def storage(self, request: web.BaseRequest, key: str) -> Answer:
        """The storage: takes a file as its slot says, gives it back to whoever asks; keys are none of its business."""
        slot = self._slots.get(key.partition(".")[0])
        if request.method in {"GET", "HEAD"}:
            return self._given(slot, request.headers)
        if "Authorization" in request.headers:
            return denied(400, "InvalidArgument", "Only one auth mechanism allowed")
        if slot is None or slot.key != key or request.method != ("POST" if slot.fields else "PUT"):
            return denied(403, "AccessDenied", "Access Denied")
        content = await (_form_file(request, slot.fields) if slot.fields else _bounded(request))
        if isinstance(content, Answer):
            return content
        slot.content = content
        return Answer(204 if slot.fields else 200, content_type="")

    def _given(self, slot: Slot | None, headers: Mapping[str, str]) -> Answer:
        if slot is None or slot.content is None:
            return missing()
        self._desk.counts["audio"] += 1
        return ranged(slot.content, KINDS[slot.extension], headers.get("Range"), headers.get("If-Range"))

    def _slot(self, ask: Ask) -> Slot:
        slot = self._slots.get(ask.parts["upload_id"])
        if slot is None or slot.account != ask.account:
            raise refused("record not found")
        return slot

    def _status(self, slot: Slot) -> str:
        if slot.finished is None or self._desk.clock.now() < slot.finished + EXAMINED:
            return "pending"
        return "error" if slot.error else "complete"


async def _form_file(request: web.BaseRequest, fields: dict[str, str]) -> bytes | Answer:
    """The file of a form whose other fields are those of the slot, the file last."""
    if not request.content_type.startswith("multipart/form-data"):
        return denied(412, "PreconditionFailed", "Bucket POST must be of the enclosure-type multipart/form-data")
    told: dict[str, str] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            break
        if part.name == "file":
            return (
                await _bounded(part) if told == fields else denied(403, "AccessDenied", "Invalid according to Policy")
            )
        told[part.name or ""] = await part.text()
    return denied(400, "InvalidArgument", "POST requires exactly one file upload per request.")


async def _bounded(source: web.BaseRequest | BodyPartReader) -> bytes | Answer:
    """What comes, unless it is too much."""
    content = bytearray()
    read = source.content.readany if isinstance(source, web.BaseRequest) else source.read_chunk
    while chunk := await read():
        content += chunk
        if len(content) > LARGEST:
            return denied(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    return bytes(content)


def denied(status: int, code: str, message: str) -> Answer:
    """A refusal in S3's words."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status, text.encode(), XML)


def _length(content: bytes | None) -> float | None:
    """The seconds of a WAV; None for all else, whose length is made up."""
    with suppress(wave.Error, EOFError, ZeroDivisionError), wave.open(BytesIO(content or b"")) as found:
        return float(found.getnframes() / found.getframerate())
    return None
