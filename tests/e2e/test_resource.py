"""What a user sees of the stored report with kubectl, and what the API server refuses."""

import pytest

from e2e.conftest import StartAgent
from e2e.support.faulty import ZOMBIES, run_forgetful
from e2e.support.installation import refusal
from e2e.support.node_report import await_report, findings
from lab.errors import LabError
from lab.shapes.cluster import Cluster

COLUMNS = ("NAME", "HEALTHY", "REASON", "CRITICAL", "WARNING", "ORPHANS", "ZOMBIES", "UPDATED", "AGE")
MORE_COLUMNS = ("SANDBOXES", "RUNTIME", "MESSAGE")

ORDINARY_BYTES = 16 * 1024


def test_kubectl_shows_the_report(cluster: Cluster, start_agent: StartAgent) -> None:
    """The stored object has the promised columns, in ``kubectl get`` and with ``-o wide``, and is small."""
    forgetful = run_forgetful(cluster)
    agent = start_agent()
    await_report(cluster, agent, "of zombies", lambda one: one["status"]["summary"]["warning"])

    heading, line = (text.split() for text in cluster.kubectl("get", "psr").splitlines())
    assert tuple(heading) == COLUMNS
    row = dict(zip(heading, line, strict=True))
    assert (row["NAME"], row["HEALTHY"], row["REASON"]) == (cluster.node_name, "False", "ZombieBuildup")
    assert (row["CRITICAL"], row["WARNING"], row["ORPHANS"]) == ("0", "1", "0")
    assert int(row["ZOMBIES"]) >= ZOMBIES
    wide = cluster.kubectl("get", "podsandboxreports", cluster.node_name, "--output=wide").splitlines()
    assert tuple(wide[0].split()) == (*COLUMNS, *MORE_COLUMNS)
    assert "containerd" in wide[1]
    assert f"lab/{forgetful.pod.name}/app" in wide[1]
    assert cluster.node_name in cluster.kubectl("get", "pausewatch")
    assert len(cluster.kubectl("get", "psr", cluster.node_name, "--output=json")) < ORDINARY_BYTES


def test_scan_prints_the_object_that_is_stored(cluster: Cluster, start_agent: StartAgent) -> None:
    """```pausewatch scan -o json`` has the fields of the stored report, and the same ids."""
    run_forgetful(cluster)
    agent = start_agent()
    stored = await_report(cluster, agent, "of zombies", lambda one: one["status"]["summary"]["warning"])
    by_hand = agent.run_scan()

    assert by_hand["spec"] == stored["spec"]
    assert by_hand["status"].keys() == stored["status"].keys()
    (mine,), (theirs,) = findings(by_hand), findings(stored)
    assert mine.keys() == theirs.keys()
    assert mine["id"] == theirs["id"]


@pytest.mark.parametrize("field", ["", ".spec.nodeName", ".status.findings", ".status.findings.nextCommands.command"])
def test_kubectl_explains(cluster: Cluster, field: str) -> None:
    """Every field has a text for ``kubectl explain``."""
    text = cluster.kubectl("explain", f"psr{field}")

    description = text.partition("DESCRIPTION:")[2].strip()
    assert description
    assert "<empty>" not in description


def test_report_of_another_name_is_refused(cluster: Cluster) -> None:
    """A report is called as the node it is about."""
    said = refusal(cluster, report("this", about="that"))

    assert "metadata.name must equal spec.nodeName" in said


def test_report_can_not_be_about_another_node(cluster: Cluster) -> None:
    """The node of a report is for ever."""
    cluster.apply(report("this", about="this"))

    with pytest.raises(LabError, match=r"nodeName is immutable"):
        cluster.kubectl("patch", "psr", "this", "--type=merge", '--patch={"spec": {"nodeName": "that"}}')


def report(name: str, *, about: str) -> dict[str, object]:
    """A report without a status."""
    return {
        "apiVersion": "pausewatch.github.io/v1alpha1",
        "kind": "PodSandboxReport",
        "metadata": {"name": name},
        "spec": {"nodeName": about},
    }
