"""Names that look real: ids, keys, titles, words. The same seed makes the same names."""

import string
from hashlib import blake2b
from random import Random

LETTERS = (string.ascii_letters + string.digits).encode()
# 256 byte values onto 62 letters: slightly uneven, which no reader of an id can tell, and a single C call
TO_LETTERS = bytes(LETTERS[value % len(LETTERS)] for value in range(256))
ADJECTIVES = ("City", "Paper", "Electric", "Silver", "Quiet", "Northern", "Velvet", "Hollow", "Golden", "Winter")
NOUNS = ("Lights", "Rivers", "Hearts", "Machines", "Gardens", "Letters", "Shadows", "Harbour", "Thunder", "Skies")


def alnum(rng: Random, length: int) -> str:
    """So many letters and digits."""
    return rng.randbytes(length).translate(TO_LETTERS).decode()


def task_ids(rng: Random, count: int, era: str) -> list[str]:
    """Ids as the gateway makes them: ``task_`` and 32 letters and digits (2026), a uuid of the upstream (2025)."""
    if era == "2025":
        return [uuid_text(rng.randbytes(16)) for _ in range(count)]
    letters = rng.randbytes(32 * count).translate(TO_LETTERS).decode()
    return [f"task_{letters[start : start + 32]}" for start in range(0, 32 * count, 32)]


def uuid_text(sixteen: bytes) -> str:
    """Sixteen bytes as a uuid is written."""
    text = sixteen.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def digest(text: str, size: int) -> bytes:
    """So many bytes that depend on nothing but the text."""
    return blake2b(text.encode(), digest_size=size).digest()


def title(chance: bytes) -> str:
    """A title for a song that was asked for without one."""
    return f"{ADJECTIVES[chance[0] % len(ADJECTIVES)]} {NOUNS[chance[1] % len(NOUNS)]}"


def verse(chance: bytes) -> str:
    """A few lines to sing."""
    first, second = title(chance[2:4]), title(chance[4:6])
    return f"[Verse]\n{first} are calling me home\n{second} know the way\n\n[Chorus]\n{first}, {second}\nStay with me"
