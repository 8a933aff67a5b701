import os
import pty

from cli.running import finish, run, start


def on_terminal(*arguments: str, **variables: str) -> str:
    """Return what the program writes to a terminal of 60 columns."""
    leader, follower = pty.openpty()
    process = start(*arguments, stdout=follower, TERM="xterm", COLUMNS="60", **variables)
    os.close(follower)
    shown = b""
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        while chunk := _read(terminal.fileno()):
            shown += chunk
    assert finish(process).code == 0
    return shown.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # EIO: the program, which alone had the other end, has ended
        return b""


def test_terminal_gets_colour_and_its_width(critical: str) -> None:
    """Colour repeats what the words say, and lines fit, but commands stay whole."""
    shown = on_terminal("scan", "--from", critical)

    assert "\x1b[1;31m" in shown
    assert "CRITICAL" in shown


def test_no_color_is_obeyed(critical: str) -> None:
    """NO_COLOR leaves no colour, on a terminal too."""
    shown = on_terminal("scan", "--from", critical, NO_COLOR="1")

    assert "\x1b[1;31m" not in shown
    assert "\x1b[31m" not in shown
    assert "CRITICAL" in shown


def test_pipe_gets_plain_whole_lines(critical: str) -> None:
    """What is searched, copied or kept has neither escapes nor line breaks of a terminal."""
    told = run("scan", "--from", critical)

    assert "\x1b" not in told.stdout
    assert any(len(line) > 80 for line in told.stdout.splitlines())


def test_markdown_is_rendered_for_people_only() -> None:
    """A pipe gets the page as it was written."""
    shown = on_terminal("explain", "ZombieBuildup")
    piped = run("explain", "ZombieBuildup").stdout

    assert piped.startswith("# zombie-buildup\n")
    assert "# zombie-buildup" not in shown
    assert "zombie-buildup" in shown
