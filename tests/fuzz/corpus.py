"""Input that is kept: what once broke a reader, and what a long search found it to treat in a way of its own."""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"

LARGEST_BYTES = 4096
"""Of a file that is kept because it is different: the corpus is part of the repository. What broke a reader is kept
whatever its size."""


def kept(target: str) -> list[Path]:
    """Return the files of one reader."""
    return sorted((FOLDER / target).glob("*"))


def keep(target: str, raw: bytes) -> Path:
    """Write a file, named after its content."""
    file = FOLDER / target / hashlib.sha256(raw).hexdigest()[:16]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(raw)
    return file
