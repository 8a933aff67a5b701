"""Every example of a help text, the README, the docs and the runbook pages does what it shows."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.running import a_recording, run
from pausewatch.cli.main import COMMANDS, program
from sources.cri.fake_runtime import FakeRuntime
from support.builders import a_snapshot
from support.changes import with_sandbox
from support.parts import SHARED_SANDBOX_ID, WEB_SANDBOX_ID

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = re.compile(r"^(?:\$ )?(?:sudo )?(pausewatch [a-z].*)$")
IN_A_POD = re.compile(r"^kubectl .*exec .* -- (pausewatch [a-z].*)$")
PLACEHOLDERS = {
    "[NAMESPACE/]POD": "team-a/web", "<namespace>/<pod>": "team-a/web", "<pod>": "web", "<namespace>": "team-a",
    "FILE": "node-7.json", "REASON": "ZombieBuildup", "ALERT": "PausewatchDown",
}  # fmt: skip

ENDLESS = ("--watch", "agent")
"""These are read, and not run: they end with Ctrl-C. Tests of their own run them."""


def commands_in(text: str) -> Iterator[str]:
    """Yield the commands of this program in the code of a text, without what only the shell reads."""
    fenced = False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        if fenced or line.startswith("  "):
            yield from command_in(line)


def command_in(line: str) -> Iterator[str]:
    """Yield the command of this program in a line, if that is one."""
    typed = line.strip().removeprefix("source <(")
    for pattern in (EXAMPLE, IN_A_POD):
        found = pattern.match(typed)
        if found:
            yield re.split(r"\s+[|>#]|\s{2,}|\)", found[1], maxsplit=1)[0].strip()


def of_helps() -> Iterator[tuple[str, str]]:
    """Yield each example with where it stands."""
    for name in ("", *COMMANDS):
        for command in commands_in(run(*filter(None, [name]), "--help").stdout):
            yield name or "pausewatch", command


def of_pages() -> Iterator[tuple[str, str]]:
    """Yield the examples in code of the README, the docs and the pages of checks and alerts."""
    pages = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
    pages += sorted((REPOSITORY / "operator/pausewatch").glob("*/*.md"))
    for page in pages:
        text = page.read_text()
        inline = re.findall(r"`((?:sudo )?pausewatch [a-z][^`]*)`", text)
        for command in (*commands_in(text), *(one for line in inline for one in command_in(line))):
            yield str(page.relative_to(REPOSITORY)), command


def every_example() -> list[tuple[str, str]]:
    """Return all examples with where they stand; the same one in several places is returned once."""
    once = {tuple(arguments_of(command)): (place, command) for place, command in (*of_pages(), *of_helps())}
    return sorted(once.values())


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with what examples name, a runtime without pods, and no cluster."""
    web = with_sandbox(a_snapshot(), WEB_SANDBOX_ID, name="web")
    a_recording(tmp_path / "node-7.json", with_sandbox(web, SHARED_SANDBOX_ID, namespace="shop", name="cart"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with FakeRuntime(tmp_path / "s"):
        monkeypatch.setenv("PAUSEWATCH_RUNTIME_ENDPOINT", f"unix://{tmp_path}/s")
        monkeypatch.setenv("PAUSEWATCH_LOOK_INTERVAL_SECONDS", "0.1")
        yield tmp_path


def arguments_of(command: str) -> list[str]:
    """Return what is typed, with names that are there in the place of those that are to be filled in."""
    for placeholder, name in PLACEHOLDERS.items():
        command = re.sub(rf"(?<!\w){re.escape(placeholder)}(?!\w)", name, command)
    return shlex.split(command)[1:]


@pytest.mark.parametrize(("place", "command"), every_example(), ids=lambda one: one[:60])
@pytest.mark.usefixtures("node")
def test_example_does_what_it_shows(place: str, command: str) -> None:
    """Options and names exist; what ends by itself is run and ends well."""
    name, *arguments = arguments_of(command)
    assert name in COMMANDS, f"{place}: {command}"
    if (name in ENDLESS and "--print-settings" not in arguments) or set(ENDLESS) & {*arguments}:
        found = program.get_command(program.make_context("pausewatch", [name]), name)
        assert found is not None
        with found.make_context(name, arguments):
            return
    if name == "inspect" and "--from" not in arguments:
        # The runtime here has no pods.
        arguments += ["--from", "node-7.json"]
    endpoint = [one for one in arguments if one.startswith("unix://")]
    told = run(name, *(one for one in arguments if one not in (*endpoint, "--runtime-endpoint")))

    assert told.code in (0, 10, 11), f"{place}: {command}: {told.stderr}"


def test_examples_are_found() -> None:
    """In every help text, and in pages."""
    places = {place for place, _ in (*of_helps(), *of_pages())}

    assert {"pausewatch", *COMMANDS} <= places
    assert {"README.md", "docs/settings.md", "operator/pausewatch/checks/namespace_not_shared.md"} <= places
    assert len(every_example()) > 30
