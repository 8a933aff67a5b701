"""What a finding tells people to type on the node works as it stands, and shows what the check's page says."""

import pytest

from integration.support.by_hand import readlink
from integration.support.observer import Observer
from integration.support.program import Program
from lab import faults
from lab.faults import Kind
from lab.pods import Container, Pod
from lab.processes import zombies_of
from lab.shapes.runtime import RuntimeLab
from pausewatch.model.report import Finding, RunOn

ZOMBIES = 16


@pytest.mark.parametrize("kind", ["network", "pid"])
def test_commands_of_a_wrong_namespace(lab: RuntimeLab, program: Program, kind: Kind) -> None:
    """Readlink prints two different namespaces; inspect calls the one WRONG and shows both."""
    running = lab.run(Pod("torn", containers=(Container("app"), Container("side")), share_pid=True))
    torn = faults.namespace_path_dropped(lab, running, "app", kind)
    links = [readlink(torn.pid(), kind), readlink(torn.pause_pid(), kind)]
    with Observer(lab) as observer:
        (finding,) = observer.findings(looks=2)

    shown = typed(program, finding)

    assert shown.keys() == {"readlink", "pausewatch"}
    assert shown["readlink"].split() == links
    assert links[0] != links[1]
    (wrong,) = [line for line in shown["pausewatch"].splitlines() if f"WRONG {kind}: " in line]
    assert all(link in wrong for link in links)


def test_commands_of_zombies(lab: RuntimeLab, program: Program) -> None:
    """Ps lists the dead children of the parent that is named; inspect counts them."""
    running = faults.zombies(lab, ZOMBIES)
    with Observer(lab) as observer:
        (finding,) = observer.findings(looks=2)

    shown = typed(program, finding)

    assert shown.keys() == {"ps", "pausewatch"}
    assert dead(shown["ps"]) == sorted(zombies_of(running.pid()))
    assert (
        f"{ZOMBIES} zombies, children of pid {running.pid()} misbehave (PID 1 of the container)" in shown["pausewatch"]
    )


def on_the_node(finding: Finding) -> list[str]:
    """The commands of a finding that are for the node."""
    return [one.command for one in finding.next_commands if one.run_on is RunOn.NODE]


def typed(program: Program, finding: Finding) -> dict[str, str]:
    """Type the commands of a finding that are for the node, and return what they print, by the program's name."""
    return {command.split()[0]: program.shell(command) for command in on_the_node(finding)}


def dead(listed: str) -> list[int]:
    """The pids of the zombies in what ps prints."""
    rows = [line.split() for line in listed.splitlines()[1:]]
    assert all(state.startswith("Z") for _, state, *_ in rows), listed
    return sorted(int(pid) for pid, *_ in rows)
