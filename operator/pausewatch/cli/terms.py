"""The words of the field, as ``pausewatch explain`` tells them: one page, a section for each."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

from pausewatch import cli

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One word of the field."""

    names: tuple[str, ...]
    """The usual one first; all others mean the same, or are told with it."""

    text: str
    """Markdown, with its heading."""

    @property
    def brief(self) -> str:
        """The first sentence."""
        body = " ".join(self.text.split("\n", 2)[2].split())
        return re.split(r"(?<=\.) |: ", body, maxsplit=1)[0].rstrip(".:")


def terms() -> tuple[Term, ...]:
    """Return all words in the order of the page, which leads from one to the next."""
    return tuple(_sections(files(cli).joinpath("terms.md").read_text(encoding="utf-8")))


def term_texts() -> Mapping[str, str]:
    """Return the text of each word by all its names."""
    return {name: term.text for term in terms() for name in term.names}


def _sections(page: str) -> Iterator[Term]:
    _, *parts = _HEADING.split(page)
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        yield Term(names=tuple(heading.split(", ")), text=f"## {heading}\n\n{text.strip()}\n")
