"""``pausewatch doctor`` on a node of a cluster: what an agent could do here, and what is lost where it could not."""

import os
import subprocess
import sys
from pathlib import Path

import pausewatch
from e2e.support.installation import agent_kubeconfig, remove_crd, revoke
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until

OPERATOR = str(Path(pausewatch.__file__).parents[1])


def doctor(cluster: Cluster, kubeconfig: Path) -> dict[str, str]:
    """Run it on the cluster's node, and return its lines by the name of the precondition."""
    command = [sys.executable, "-m", "pausewatch", "doctor", "--kubeconfig", str(kubeconfig)]
    done = subprocess.run(
        [*command, "--runtime-endpoint", cluster.runtime.endpoint],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": OPERATOR},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    facts = (line.partition(": ") for line in done.stdout.splitlines() if line.startswith(("ok ", "MISSING ")))
    return {fact.split()[1]: f"{fact.split()[0]} {detail}" for fact, _, detail in facts}


def test_agent_of_an_installation_misses_nothing(cluster: Cluster) -> None:
    """Its rights, the definition and the policy, which it learns of by being refused: nothing is written."""
    told = doctor(cluster, agent_kubeconfig(cluster))

    assert {name: one for name, one in told.items() if not one.startswith("ok ")} == {}
    assert told["runtime-version"].startswith("ok containerd 2.")
    assert told["own-node-policy"] == "ok a report of another node is refused"
    assert told["api-rights"] == "ok all that an agent asks for"
    assert cluster.kubectl("get", "psr", "--output=name") == ""


def test_administrator_reads_the_policy(cluster: Cluster) -> None:
    """Whom it is not about learns that it is there."""
    told = doctor(cluster, cluster.kubeconfig)

    assert told["own-node-policy"].startswith("ok the ValidatingAdmissionPolicy pausewatch-own-node")


def test_what_is_not_installed_is_missing(cluster: Cluster) -> None:
    """Rights, definition and policy: each is named, and the fixture puts them back."""
    agent = agent_kubeconfig(cluster)
    cluster.kubectl("delete", "validatingadmissionpolicybinding", "pausewatch-own-node")
    remove_crd(cluster)
    revoke(cluster)

    assert doctor(cluster, cluster.kubeconfig)["own-node-policy"].startswith("MISSING there is no Validating")

    def told() -> dict[str, str]:
        # What was revoked or removed is so for the server within seconds.
        found = doctor(cluster, agent)
        both = all(found[name].startswith("MISSING ") for name in ("api-rights", "report-definition"))
        return found if both else {}

    missing = wait_until("what is gone to be missed", told, 60)
    assert missing["api-server"].startswith("ok ")
    assert "get pods" in missing["api-rights"]
    assert missing["own-node-policy"].startswith("MISSING can not be told: ")
