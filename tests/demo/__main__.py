"""``make demo``: a container runtime from nothing, healthy and broken pods, what pausewatch says of them, healing."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from demo.telling import FalseClaimError, Story
from lab import faults
from lab.errors import LabError
from lab.pins import RUNTIME_VERSIONS
from lab.pods import Container, Pod, RunningPod
from lab.remains import find_remains
from lab.shapes.runtime import RuntimeLab, start

LAB = "demo"
NAMESPACE = "shop"
ZOMBIES = 16


def main() -> int:
    """Tell the story; 0 if every claim was true."""
    story = Story(steps=6)
    try:
        story.step("A node: containerd 2.4, started from nothing in namespaces of its own")
        with start(RUNTIME_VERSIONS["containerd-2.4"], LAB) as lab:
            os.environ["PAUSEWATCH_RUNTIME_ENDPOINT"] = lab.endpoint
            os.environ["PAUSEWATCH_NODE_NAME"] = "demo-node"
            tell(story, lab)
            story.step("Everything is stopped")
            places = lab.places
        story.claim("no process, mount, network namespace or cgroup of the lab is left", true=not find_remains(places))
        story.end()
    except (FalseClaimError, LabError) as error:
        sys.stderr.write(f"\ndemo: FALSE: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\ndemo: interrupted; the lab is stopped\n")
        return 130
    return 0


def tell(story: Story, lab: RuntimeLab) -> None:
    """Show a healthy node, break it, show what is said, heal it."""
    story.step("Healthy pods: nothing to say")
    containers = (Container(name="app"), Container(name="proxy"))
    web = lab.run(Pod("web", namespace=NAMESPACE, containers=containers))
    lab.run(Pod("cache", namespace=NAMESPACE, share_pid=True))
    lab.run(Pod("node-agent", namespace=NAMESPACE, host_network=True, host_pid=True))
    story.say("Pods web (app, proxy), cache (shared PID namespace), node-agent (hostNetwork, hostPID) run.")
    story.command("pausewatch", "scan", "--fail-on", "info")
    report = scan(story)
    story.claim("no finding, and Healthy is True", true=not findings(report) and healthy(report) == "True")

    story.step("Two real faults, of which Kubernetes would say nothing")
    cart = lab.run(Pod("cart", namespace=NAMESPACE))
    cart = faults.namespace_path_dropped(lab, cart, "app", "network")
    queue = faults.zombies(lab, ZOMBIES, name="queue")
    story.say("The runtime started cart's container in a fresh network namespace instead of its pod's.")
    story.say(f"queue's PID 1 never waits for its children: {ZOMBIES} zombies.")
    story.say("(Zombies become a Warning after 60 seconds; --set shortens that here to 1.)")
    story.command(
        "pausewatch", "scan", "--set", "zombie-buildup.seen_for_seconds=1", "--fail-on", "critical", expect=10
    )
    report = scan(story, "--set", "zombie-buildup.seen_for_seconds=1")
    check_findings(story, report, cart, queue)

    story.step("One pod in full, and the page behind a finding")
    tree = story.command("pausewatch", "inspect", f"{NAMESPACE}/cart")
    story.claim("inspect shows the wrong namespace", true=link(cart.pid()) in tree and "WRONG" in tree)
    page = story.quiet_command("pausewatch", "explain", "NamespaceNotShared")
    story.say("\n$ pausewatch explain NamespaceNotShared | head -12\n" + "\n".join(page.splitlines()[:12]))

    story.step("One fault is healed: its finding clears, the other stays")
    cart = faults.heal_container(lab, cart, "app")
    story.command("pausewatch", "scan", "--set", "zombie-buildup.seen_for_seconds=1")
    report = scan(story, "--set", "zombie-buildup.seen_for_seconds=1")
    story.claim("cart shares its pod's network again", true=link(cart.pid()) == link(cart.pause_pid()))
    story.claim(
        "only queue is left",
        true=[(one["reason"], pod(one)) for one in findings(report)] == [("ZombieBuildup", "queue")],
    )
    story.claim(
        "web was never mentioned", true=web.pid("app") > 0 and all(pod(one) != "web" for one in findings(report))
    )


def check_findings(story: Story, report: dict[str, Any], cart: RunningPod, queue: RunningPod) -> None:
    """Compare the report with what readlink and /proc say."""
    found = {(one["reason"], pod(one), one["severity"]): one for one in findings(report)}
    story.claim(
        "exactly these two are found",
        true=set(found)
        == {
            ("NamespaceNotShared", "cart", "Critical"),
            ("ZombieBuildup", "queue", "Warning"),
        },
    )
    wrong, zombies = (found[key] for key in sorted(found))
    evidence = json.dumps(wrong["evidence"])
    story.claim(
        f"the evidence holds what readlink prints: {link(cart.pid())}, not {link(cart.pause_pid())}",
        true=link(cart.pid()) in evidence
        and link(cart.pause_pid()) in evidence
        and link(cart.pid()) != link(cart.pause_pid()),
    )
    story.claim(
        f"the parent that never waits is named: pid {queue.pid()}", true=f"pid {queue.pid()} " in zombies["message"]
    )
    story.claim(
        f"the node counts at least these {ZOMBIES} zombies", true=report["status"]["summary"]["zombies"] >= ZOMBIES
    )
    story.claim("Healthy is False", true=healthy(report) == "False")


def scan(story: Story, *arguments: str) -> dict[str, Any]:
    """Return the PodSandboxReport of the node."""
    report: dict[str, Any] = json.loads(story.quiet_command("pausewatch", "scan", "-o", "json", *arguments))
    return report


def findings(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the findings of a report."""
    found: list[dict[str, Any]] = report["status"]["findings"]
    return found


def pod(finding: dict[str, Any]) -> str:
    """Return the pod that a finding is about."""
    return str(finding.get("pod", {}).get("name", ""))


def healthy(report: dict[str, Any]) -> str:
    """Return the status of the condition Healthy."""
    return next(str(one["status"]) for one in report["status"]["conditions"] if one["type"] == "Healthy")


def link(pid: int) -> str:
    """Return the network namespace of a process, as the kernel prints it."""
    return str(Path(f"/proc/{pid}/ns/net").readlink())


if __name__ == "__main__":
    sys.exit(main())
