"""``make demo``: a Kubernetes node from nothing, real faults in its pods, and what pausewatch makes of them."""

import json
import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo.agent import AgentProcess, running_agent
from demo.telling import FalseClaimError, Story
from lab.errors import LabError
from lab.naming import lab_name
from lab.pods import Container, Pod, RunningPod
from lab.remains import find_remains
from lab.shapes import cluster as clusters
from lab.shapes.cluster import Cluster
from lab.waiting import wait_until

ZOMBIES = 16
MANIFESTS = Path(__file__).parents[2] / "manifests"
ACCOUNT, NAMESPACE = "pausewatch", "pausewatch"

SHORTENED = {
    "PAUSEWATCH_SCAN_PERIOD_SECONDS": "1",
    "PAUSEWATCH_REPORT_INTERVAL_SECONDS": "1",
    "PAUSEWATCH_ZOMBIE_BUILDUP_SEEN_FOR_SECONDS": "5",
    "PAUSEWATCH_ORPHANED_SANDBOX_DELAY_SECONDS": "1",
}
"""So that nobody has to wait. The defaults are 30, 60, 60 and 120 seconds."""

NOT_READY = 1
"""SANDBOX_NOTREADY of the CRI."""

FOUND_SECONDS = 120.0
"""Limit for a finding to come or go: an orphan takes the grace period of 30 s and three scans."""

BROKEN = {"NamespaceNotShared": "cart", "ZombieBuildup": "queue", "OrphanedSandbox": "worker"}
"""Reason to the pod that is broken so."""


def main() -> int:
    """Tell the story; 0 if every claim was true."""
    story = Story(steps=8)
    os.environ.update(SHORTENED)
    try:
        story.step("A Kubernetes node from nothing: etcd, API server, kubelet, containerd")
        with clusters.start(lab_name("demo")) as cluster:
            places = cluster.runtime.places
            os.environ["PAUSEWATCH_RUNTIME_ENDPOINT"] = cluster.runtime.endpoint
            os.environ["PAUSEWATCH_NODE_NAME"] = cluster.node_name
            tell(story, cluster)
            story.step("Everything is stopped")
        story.claim("no process, mount, network namespace or cgroup is left", true=not find_remains(places))
        story.end()
    except (FalseClaimError, LabError, OSError) as error:
        sys.stderr.write(f"\ndemo: FALSE: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\ndemo: interrupted; the node is stopped\n")
        return 130
    return 0


def tell(story: Story, cluster: Cluster) -> None:
    """Install, show a healthy node, break it, show what is said, heal it."""
    story.step("Installing: the schema, an account that may read pods and write its own report, the agent")
    install(cluster)
    kubeconfig = cluster.service_account_kubeconfig(ACCOUNT, NAMESPACE, bound_to_node=True)
    story.say(f"Shortened for the demonstration: {', '.join(f'{name}={value}' for name, value in SHORTENED.items())}")
    with running_agent(["--kubeconfig", str(kubeconfig)]) as agent:
        healthy(story, cluster)
        cart, worker = broken(story, cluster)
        one_in_full(story, cluster, agent, cart)
        two_healed(story, cluster, worker)
        all_healed(story, cluster, agent)
        story.claim("the agent ran all the while", true=agent.is_running)
        story.claim("the agent ends with exit code 0 when it is told to", true=agent.stop() == 0)


def install(cluster: Cluster) -> None:
    """Apply the manifests as a user would."""
    cluster.kubectl("apply", f"--filename={MANIFESTS / 'crd.yaml'}")
    cluster.kubectl("wait", "--for=condition=Established", "crd/podsandboxreports.pausewatch.github.io")
    cluster.kubectl("apply", f"--filename={MANIFESTS / 'rbac.yaml'}")


def healthy(story: Story, cluster: Cluster) -> None:
    """Run pods that look odd and are legal."""
    story.step("Healthy pods: nothing to say")
    cluster.run(Pod("web", containers=(Container(name="app"), Container(name="proxy"))))
    cluster.run(Pod("cache", share_pid=True))
    cluster.run(Pod("node-agent", host_network=True, host_pid=True))
    story.say("Pods web (app, proxy), cache (shared PID namespace) and node-agent (hostNetwork, hostPID) run.")
    until("the node to be reported as healthy", lambda: condition(cluster, "Healthy") == "True")
    story.say(kubectl(story, cluster, "wait", "--for=condition=Healthy", f"psr/{cluster.node_name}", "--timeout=10s"))
    story.say(kubectl(story, cluster, "get", "psr"))
    story.claim("no finding, and Healthy is True", true=not findings(cluster))


def broken(story: Story, cluster: Cluster) -> tuple[RunningPod, RunningPod]:
    """Break three pods for real."""
    story.step("Three real faults, of which Kubernetes says nothing")
    queue = cluster.run(Pod("queue", containers=(Container(command=("misbehave", "orphans", str(ZOMBIES))),)))
    story.say(f"queue: its PID 1 never waits for its children, {ZOMBIES} zombies.")
    cluster.falsify("cart", "app", {"type": "network", "do": "fresh"})
    cart = cluster.run(Pod("cart"))
    story.say("cart: the runtime starts its container in a fresh network namespace instead of its pod's.")
    worker = cluster.run(Pod("worker"))
    cluster.stop_kubelet()
    cluster.kubectl("delete", "pod", "worker", "--namespace=lab", "--force", "--grace-period=0")
    story.say("worker: deleted by force while the kubelet does not run. Its container goes on.")
    until("all three to be found", lambda: {one["reason"]: pod(one) for one in findings(cluster)} == BROKEN)
    story.say(kubectl(story, cluster, "get", "pods", "--namespace=lab"))
    story.say(kubectl(story, cluster, "get", "psr"))
    severities = {one["reason"]: one["severity"] for one in findings(cluster)}
    story.claim(
        "exactly these three are found, and Healthy is False",
        true=condition(cluster, "Healthy") == "False"
        and severities
        == {
            "NamespaceNotShared": "Critical",
            "OrphanedSandbox": "Critical",
            "ZombieBuildup": "Warning",
        },
    )
    named = f"pid {queue.pid()} " in finding(cluster, "ZombieBuildup")["message"]
    story.claim(f"the parent that never waits is named: pid {queue.pid()}", true=named)
    return cart, worker


def one_in_full(story: Story, cluster: Cluster, agent: AgentProcess, cart: RunningPod) -> None:
    """Show a report, the metrics, and what a person on the node sees."""
    story.step("What is said of them: the report in full, the metrics, the node itself")
    story.say(kubectl(story, cluster, "get", "psr", cluster.node_name, "--output=yaml"))
    evidence = json.dumps(finding(cluster, "NamespaceNotShared")["evidence"])
    wrong, right = link(cart.pid()), link(cart.pause_pid())
    story.claim(
        f"the evidence holds what readlink prints: {wrong}, not {right}",
        true=wrong in evidence and right in evidence and wrong != right,
    )
    shown = metrics(story, agent, "^pausewatch_(findings|container_zombie)")
    expected = {
        f'pausewatch_container_zombie_processes{{container="app",namespace="lab",pod="queue"}} {ZOMBIES}.0',
        'pausewatch_findings{check="orphaned-sandbox",reason="OrphanedSandbox",severity="Critical"} 1.0',
    }
    story.claim("the metrics say the same", true=expected <= set(shown))
    story.command("pausewatch", "scan")
    tree = story.command("pausewatch", "inspect", "lab/cart")
    story.claim("inspect shows the wrong namespace", true="WRONG" in tree and wrong in tree)


def two_healed(story: Story, cluster: Cluster, worker: RunningPod) -> None:
    """Heal two faults, and show that their findings go and the other stays."""
    story.step("Two faults are healed: their findings clear, the other stays")
    sandbox = worker.sandbox_id
    cluster.start_kubelet()
    story.say("The kubelet runs again and removes what it does not know.")
    cluster.stop_falsifying("cart", "app")
    story.say("The runtime works again. What the finding of cart says to type:")
    type_the_last_command(story, cluster, "NamespaceNotShared")
    cart = cluster.run(Pod("cart"))
    story.say("cart was made anew.")
    until("only queue to be left", lambda: [pod(one) for one in findings(cluster)] == ["queue"])
    story.say(kubectl(story, cluster, "get", "psr"))
    story.claim("cart shares its pod's network again", true=link(cart.pid()) == link(cart.pause_pid()))
    ready = [one.id for one in cluster.runtime.client.sandboxes() if one.state != NOT_READY]
    story.claim("the orphaned sandbox does not run any more", true=sandbox not in ready)


def all_healed(story: Story, cluster: Cluster, agent: AgentProcess) -> None:
    """Heal the last fault, and show a node that is healthy again everywhere it is told."""
    story.step("The last fault is healed: the node is healthy again")
    story.say("What the finding of queue says to type; its author gives it a PID 1 that waits:")
    type_the_last_command(story, cluster, "ZombieBuildup")
    cluster.run(Pod("queue", share_pid=True))
    until("the node to be reported as healthy", lambda: condition(cluster, "Healthy") == "True")
    story.say(kubectl(story, cluster, "get", "pods", "--namespace=lab"))
    story.say(kubectl(story, cluster, "get", "psr"))
    story.claim("no finding is left, and Healthy is True", true=not findings(cluster))
    counts = metrics(story, agent, f"^pausewatch_findings.*({'|'.join(BROKEN)})")
    told = all(line.endswith(" 0.0") for line in counts)
    story.claim("nor in the metrics", true=told and all(reason in "".join(counts) for reason in BROKEN))


def type_the_last_command(story: Story, cluster: Cluster, reason: str) -> None:
    """Type what a finding ends with: the least destructive comes first, so this is what heals. Its pod goes."""
    found = finding(cluster, reason)
    story.line(
        found["nextCommands"][-1]["command"],
        PATH=f"{cluster.programs.kubectl.parent}:{os.defpath}",
        KUBECONFIG=str(cluster.kubeconfig),
        HOME=str(cluster.runtime.places.run),
    )
    kubectl(story, cluster, "wait", f"pod/{found['pod']['name']}", "--namespace=lab", "--for=delete", "--timeout=120s")


def metrics(story: Story, agent: AgentProcess, expression: str) -> list[str]:
    """Show the lines of the agent's metrics that match, as grep does, and return them."""
    story.say(f"\n$ curl --silent {agent.address}/metrics | grep -E {shlex.quote(expression)}")
    shown = [line for line in agent.page("/metrics").splitlines() if re.search(expression, line)]
    story.say("\n".join(shown))
    return shown


def kubectl(story: Story, cluster: Cluster, *arguments: str) -> str:
    """Show a kubectl command, run it as administrator and return what it prints."""
    story.say(f"\n$ kubectl {' '.join(arguments)}")
    return cluster.kubectl(*arguments).rstrip()


def until(what: str, is_so: Callable[[], bool]) -> None:
    """Wait for the agent to see something."""
    wait_until(what, is_so, FOUND_SECONDS)


def status(cluster: Cluster) -> dict[str, Any]:
    """Return the status of the stored report; empty while there is none."""
    items = json.loads(cluster.kubectl("get", "psr", "--output=json"))["items"]
    found: dict[str, Any] = items[0].get("status", {}) if items else {}
    return found


def findings(cluster: Cluster) -> list[dict[str, Any]]:
    """Return the findings of the stored report."""
    found: list[dict[str, Any]] = status(cluster).get("findings", [])
    return found


def finding(cluster: Cluster, reason: str) -> dict[str, Any]:
    """Return the one finding of a reason."""
    return next(one for one in findings(cluster) if one["reason"] == reason)


def pod(one: dict[str, Any]) -> str:
    """Return the pod that a finding is about."""
    return str(one.get("pod", {}).get("name", ""))


def condition(cluster: Cluster, kind: str) -> str:
    """Return the status of a condition; empty while there is none."""
    found = (one["status"] for one in status(cluster).get("conditions", []) if one["type"] == kind)
    return str(next(found, ""))


def link(pid: int) -> str:
    """Return the network namespace of a process, as the kernel prints it."""
    return str(Path(f"/proc/{pid}/ns/net").readlink())


if __name__ == "__main__":
    sys.exit(main())
