"""A broken pod as people see it on a real node: docs/pictures/inspect.svg, and docs/pictures/scan.txt for the README.

The node is the lab's containerd, which is made to start one container in a fresh network namespace. What the program
writes to a terminal is drawn by rich as it is; nothing is retouched.
"""

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from lab import faults
from lab.naming import lab_name
from lab.pins import CONTAINERD_2_4
from lab.pods import Container, Pod
from lab.shapes import runtime

COLUMNS, ROWS = 112, 60

CHARACTER_WIDTH, LINE_HEIGHT = 12.2, 24.4
"""Of a font of 20 pixels, as rich takes it for its pictures."""

MARGIN = 14

THEME = TerminalTheme(
    (13, 17, 23),
    (230, 237, 243),
    [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255), (57, 197, 207),
     (177, 186, 196)],
    [(110, 118, 129), (255, 161, 152), (86, 211, 100), (227, 179, 65), (121, 192, 255), (210, 168, 255), (86, 212, 221),
     (255, 255, 255)],
)  # fmt: skip
"""Light text on a dark sheet, which is readable on light and on dark pages."""

FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 WIDE HIGH">
<title>TITLE</title>
<style>
.{unique_id}-matrix {{ font-family: DejaVu Sans Mono, Menlo, Consolas, monospace; font-size: {char_height}px;
  white-space: pre; }}
{styles}
</style>
<defs>{lines}</defs>
<rect width="WIDE" height="HIGH" rx="8" fill="#0d1117"/>
<g transform="translate(14, 12)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""As rich's own, without a font from elsewhere: a picture of a repository asks nobody for anything."""


def draw_inspect(folder: Path) -> tuple[Path, Path]:
    """Break a pod on a real node, show it, and return the picture of that and the text of a scan.

    Raises:
        LabError: The node did not come up.
        AssertionError: The program did not see what is wrong.
    """
    with runtime.start(CONTAINERD_2_4, lab_name("pictures")) as lab:
        cart = lab.run(Pod("cart", namespace="shop", containers=(Container("app"), Container("proxy"))))
        lab.run(Pod("web", namespace="shop", share_pid=True))
        faults.namespace_path_dropped(lab, cart, "app", "network")
        environment = {**os.environ, "PAUSEWATCH_NODE_NAME": "node-7", "PAUSEWATCH_RUNTIME_ENDPOINT": lab.endpoint}
        program = [sys.executable, "-m", "pausewatch"]
        shown = on_terminal([*program, "inspect", "shop/cart"], environment)
        scan = [*program, "scan"]
        scanned = subprocess.run(scan, env=environment, check=True, capture_output=True, text=True).stdout
    assert "WRONG" in shown, shown
    assert "NamespaceNotShared" in scanned, scanned
    picture, text = folder / "inspect.svg", folder / "scan.txt"
    picture.write_text(as_svg("sudo pausewatch inspect shop/cart", shown), encoding="utf-8")
    text.write_text(f"$ sudo pausewatch scan\n{scanned}", encoding="utf-8")
    return picture, text


def on_terminal(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return what a program writes to a terminal of ``COLUMNS``, with the terminal's language in it."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    with_terminal = {**environment, "TERM": "xterm-256color", "COLORTERM": ""}
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=with_terminal)
    os.close(follower)
    written = b""
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        while True:
            try:
                some = terminal.read(4096)
            except OSError:  # the other end is closed: EIO (Linux: pty(7))
                break
            if not some:
                break
            written += some
    process.wait()
    return written.decode().replace("\r\n", "\n")


def as_svg(command: str, shown: str) -> str:
    """Return a command and what it wrote as a picture."""
    console = Console(width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "dim"), (command, "bold")))
    console.print(Text.from_ansi(shown), soft_wrap=True)
    lines = len(shown.splitlines()) + 2
    return console.export_svg(
        theme=THEME,
        code_format=_sized(escape(command), lines),
        unique_id="terminal",
        font_aspect_ratio=0.61,
    )


def _sized(title: str, lines: int) -> str:
    """Return the form of a picture with so many lines of the terminal's columns."""
    wide, high = round(COLUMNS * CHARACTER_WIDTH) + 2 * MARGIN, round(lines * LINE_HEIGHT) + MARGIN
    return FORMAT.replace("TITLE", title).replace("WIDE", str(wide)).replace("HIGH", str(high))
