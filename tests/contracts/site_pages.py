"""What the site has beside docs/: the README as its front, and the pages of checks and alerts, where runbooks lead.

A hook of mkdocs, named in mkdocs.yml. Pages stand where they are edited; links that leave docs/ go to the repository.
"""

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = "https://github.com/pausewatch/pausewatch/blob/main/"
FOLDERS = {"operator/pausewatch/checks": "checks", "operator/pausewatch/alerts": "alerts"}

LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?(?=\))")


def on_files(files: Files, config: Any) -> Files:  # noqa: ANN401  mkdocs' signature
    """Add the pages that are not in docs/."""
    moved = _moved()
    for source, target in moved.items():
        files.append(File.generated(config, target, content=_text(source, target, moved)))
    listed = [f"- [{Path(one).stem}](../{one})" for one in moved.values() if one.startswith(("checks/", "alerts/"))]
    files.append(File.generated(config, "checks/index.md", content="\n".join(["# Checks and alerts", "", *listed, ""])))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:  # noqa: ANN401  mkdocs' signature
    """Let links of pages in docs/ that leave it lead to the repository."""
    if page.file.generated_by:
        return markdown
    return _relinked(markdown, f"docs/{page.file.src_uri}", page.file.src_uri, _moved())


def _moved() -> dict[str, str]:
    """Return where on the site each page is that is not in docs/."""
    moved = {"README.md": "index.md"}
    for folder, place in FOLDERS.items():
        for path in sorted((REPOSITORY / folder).glob("*.md")):
            name = path.stem.replace("_", "-") if place == "checks" else path.stem
            moved[f"{folder}/{path.name}"] = f"{place}/{name}.md"
    return moved


def _text(source: str, target: str, moved: dict[str, str]) -> str:
    return _relinked((REPOSITORY / source).read_text(encoding="utf-8"), source, target, moved)


def _relinked(markdown: str, source: str, target: str, moved: dict[str, str]) -> str:
    """Return a page whose relative links are right at its new place."""

    def link(found: re.Match[str]) -> str:
        aimed = os.path.normpath(PurePosixPath(source).parent / found[1])
        anchor = found[2] or ""
        inside = moved.get(aimed) or (aimed.removeprefix("docs/") if aimed.startswith("docs/") else "")
        # A page that is not there stays a link within the site, which mkdocs refuses.
        if inside and not (REPOSITORY / aimed).is_dir():
            return f"{os.path.relpath(inside, PurePosixPath(target).parent)}{anchor}"
        return f"{SOURCE}{aimed}{anchor}"

    return LINK.sub(link, markdown)
