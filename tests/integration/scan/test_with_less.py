"""What `pausewatch scan` finds where it is given less than the DaemonSet gives an agent; SECURITY.md has the table.

Without the runtime's socket it does not scan at all: `test_command_line.py`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pytest

from integration.support.program import Program
from lab import faults
from lab.pins import CONTAINERD_2_4
from lab.pods import Container, Pod
from lab.shapes.runtime import RuntimeLab

#: One runtime is enough: what the kernel grants does not depend on its version.
pytestmark = pytest.mark.parametrize("runtime_lab", [CONTAINERD_2_4.name], indirect=True)

TORN, ZOMBIES, TWIN = "NamespaceNotShared lab/torn", "ZombieBuildup lab/forgetful", "DuplicateSandbox lab/twin"

API_SERVER = ("orphaned-sandbox", "sandbox-create-failing", "sandbox-stuck-terminating")
"""Nobody asks an API server in a scan by hand; the agent without one skips the same."""

LINKS_AND_FILES = (
    *("abnormal-pause", "container-process-gone", "duplicate-pod-ip", "leaked-network-namespace"),
    *("leaked-pod-address", "loopback-down", "namespace-not-shared", "pid-limit-near", "pod-ip-missing"),
    "zombie-buildup",
)
"""Need Linux namespaces of other processes, or files of the node as the runtime sees them."""

CONFIGURATION = ("sandbox-image-drift", "sandbox-image-missing", "sandbox-image-unpinned")
"""Need the runtime's configuration file: containerd 2.x does not tell its sandbox image."""

PROCESSES = ("orphaned-shim", "unlisted-pause", "unmanaged-process")
"""Need the list of the node's processes."""

OWN_PID_NAMESPACE = ("unshare", "--pid", "--fork", "--mount-proc")


@dataclass(frozen=True)
class Result:
    """What a scan says: findings about pods, and checks that could not judge, with the reason."""

    finds: frozenset[str]
    skipped: Mapping[str, str]


def with_capabilities(*names: str) -> tuple[str, ...]:
    """As root with these capabilities, and no way to get more."""
    kept = "".join(f",+{name}" for name in names)
    return ("setpriv", f"--bounding-set=-all{kept}", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs")


def skipped(**checks: Iterable[str]) -> Mapping[str, str]:
    """Checks by the reason why they can not judge, beyond those that need an API server."""
    return dict.fromkeys(API_SERVER, "NoApiServer") | {
        check: reason for reason, those in checks.items() for check in those
    }


ALL = Result(frozenset({TORN, ZOMBIES, TWIN}), skipped())
HIDDEN = Result(
    frozenset({TWIN}),
    skipped(RuntimeInOtherPidNamespace=LINKS_AND_FILES, SandboxImageNotTold=CONFIGURATION, ProcessesHidden=PROCESSES),
)
MODES = {
    with_capabilities("sys_ptrace"): ALL,
    with_capabilities(): Result(
        frozenset({TWIN}), skipped(PermissionDenied=LINKS_AND_FILES, SandboxImageNotTold=CONFIGURATION)
    ),
    OWN_PID_NAMESPACE: HIDDEN,
    (*OWN_PID_NAMESPACE, *with_capabilities()): HIDDEN,
}
"""By the command that takes something away: what the DaemonSet gives, no SYS_PTRACE, no hostPID, neither."""


def test_what_is_found_with_less(lab: RuntimeLab, program: Program) -> None:
    """Exactly what can be known, a reason for each check that can not know, and nothing that is not there."""
    lab.run(Pod("healthy", containers=(Container("app"), Container("side"))))
    faults.zombies(lab, 40, name="forgetful")
    faults.namespace_path_dropped(lab, lab.run(Pod("torn")), "app", "network")
    faults.sandbox_once_more(lab, lab.run(Pod("twin")))

    results = {mode: scan(program.with_less(lab, *mode)) for mode in MODES}

    assert results == MODES


def scan(program: Program) -> Result:
    """Scan the node. A second sandbox of a pod is told at once, which takes two minutes by default."""
    told = program.run("scan", "--output=json", "--set", "duplicate-sandbox.lasting_seconds=0")
    status = json.loads(told)["status"]
    about_pods = [one for one in status["findings"] if "pod" in one]
    return Result(
        frozenset(f"{one['reason']} {one['pod']['namespace']}/{one['pod']['name']}" for one in about_pods),
        {one["check"]: one["reason"] for one in status["coverage"]["skippedChecks"]},
    )
