"""The runbook page of a check, typed: its Diagnosis where the fault is, and its Mitigation as what heals it."""

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files

from integration.support.program import Program
from pausewatch.checks._check import all_checks
from support.commands import delete_pod

NOT_ON_A_LAB = ("journalctl", "dmesg")
"""A lab's daemons log to files, without a journal; the kernel's log is the machine's, not the lab's."""

MAY_FAIL = ("ps --ppid", "kubectl", "crictl stopp")
"""These end with 1 where nothing is listed or the runtime refuses, and what they print then is the diagnosis."""

_DELETE_POD = re.compile(r"kubectl --namespace (\S+) delete pod (\S+)")


def diagnose(program: Program, check: str, **filled_in: object) -> str:
    """Type each command of a page's Diagnosis, and return what they print, one after the other.

    Args:
        program: Types them. Commands of kubectl are typed where it has kubectl, as on a cluster.
        check: Whose page.
        filled_in: What stands for the page's placeholders: ``pod`` for ``<pod>``, ``older_sandbox`` for
            ``<older sandbox>``.

    Raises:
        AssertionError: A command failed, the page has none, or nothing stands for one of its placeholders.
    """
    has_kubectl = (program.directory / "kubectl").exists()
    absent = NOT_ON_A_LAB if has_kubectl else (*NOT_ON_A_LAB, "kubectl")
    lines = [line for line in _lines(check, "Diagnosis") if not line.startswith(absent)]
    assert lines, f"the page of {check} has no Diagnosis that can be typed here"
    return "".join(_typed(program, command) for command in _filled_in(lines, filled_in))


def mitigation(check: str, **filled_in: object) -> list[str]:
    """Return the commands of a page's Mitigation as they are to be typed; arguments and errors as for ``diagnose``."""
    return _filled_in(_lines(check, "Mitigation"), filled_in)


def is_the_mitigation(commands: Iterable[str], check: str, **filled_in: object) -> None:
    """Compare what a finding tells to type with its page: each command of the Mitigation is there.

    A case that types the commands of the finding has then healed by the page. The finding's may look first whether
    the fault is still there, and let the API server compare the uid of a pod, which a page leaves to whoever reads it.
    """
    given = tuple(commands)
    for command in mitigation(check, **filled_in):
        deleted = _DELETE_POD.fullmatch(command)
        does_it = _deletes(*deleted.groups()) if deleted else re.compile(rf"{re.escape(command)}$")
        assert any(map(does_it.search, given)), f"the page of {check} says {command!r}, not one of {given}"


def _deletes(namespace: str, pod: str) -> re.Pattern[str]:
    """Return what a finding's command that deletes a pod matches, whichever uid it tells the API server to compare."""
    return re.compile(re.escape(delete_pod(namespace, pod, "UID")).replace("UID", "[-0-9a-f]+"))


def _lines(check: str, section: str) -> list[str]:
    """Return the lines of code in a section of a page."""
    (page,) = [one.page for one in all_checks() if one.id == check]
    text = files("pausewatch.checks").joinpath(page).read_text(encoding="utf-8")
    (found,) = re.findall(rf"^## {section}\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^    (\S.*)$", found, re.MULTILINE)
    assert lines, f"the page of {check} has no command below {section}"
    return lines


def _filled_in(lines: Iterable[str], filled_in: Mapping[str, object]) -> list[str]:
    values = {name.replace("_", " "): str(value) for name, value in filled_in.items()}

    def value(found: re.Match[str]) -> str:
        assert found[1] in values, f"nothing stands for {found[0]} of {found.string!r}"
        return values[found[1]]

    return [re.sub(r"<([a-z][a-z0-9 ]*)>", value, line) for line in lines]


def _typed(program: Program, command: str) -> str:
    return program.shell(f"{command} 2>&1 || test $? -eq 1" if command.startswith(MAY_FAIL) else command)
