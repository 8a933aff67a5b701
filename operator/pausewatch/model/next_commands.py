"""Commands that change something, made so that they can not hit anything but what was found.

A report is read minutes after it was written. By then a pod of a StatefulSet has been made anew under its name, an
address belongs to another pod, a pid to another process. Ids of sandboxes and containers are never given twice, so
commands that name one need no more. All others look first and do nothing if it is no longer the same: whoever pastes
one reads what it looks for.
"""

import shlex

from pausewatch.model.report import NextCommand, RunOn

MIRROR = r"{.metadata.annotations.kubernetes\.io/config\.mirror}"
"""A jsonpath: of a mirror pod, which stands for a static pod in the API, the uid that this one has on its node
(Kubernetes: pkg/kubelet/pod/mirror_client.go, CreateMirrorPod). Of any other pod nothing."""

STATIC = "it is a static pod: move its manifest out of the static pod directory of its node, and back once it has ended"
OTHER = "it was made anew since: nothing to delete"

LISTED = "the runtime lists it by now: nothing to end"
RUNS = "the runtime runs it by now: nothing to end"


def delete_pod(namespace: str, name: str, uid: str) -> tuple[NextCommand, ...]:
    """Return the command that deletes a pod as long as it is the one with this uid; nothing if the uid is not known.

    Typed too late it deletes nothing and says why: kubectl that there is no such pod, or no answer, and the command
    that the pod is another one by now. A static pod has another uid in the API than on the node, that of its mirror
    pod. Deleting that would change nothing, for the kubelet makes it anew and leaves the pod alone: what to do instead
    is said.
    """
    if not uid:
        return ()
    in_namespace = f"kubectl --namespace {shlex.quote(namespace)}"
    pod = shlex.quote(name)
    uids = f"\"$({in_namespace} get pod {pod} -o jsonpath='{{.metadata.uid}} {MIRROR}')\""
    cases = (
        f"{shlex.quote(f'{uid} ')}*) ;;",
        f"*{shlex.quote(f' {uid}')}) {_nothing_done(STATIC)};;",
        f"*' '*) {_nothing_done(OTHER)};;",
        "*) false;;",
    )
    still_it = f"case {uids} in {' '.join(cases)} esac"
    return (NextCommand(run_on=RunOn.CLUSTER, command=only_if(still_it, f"{in_namespace} delete pod {pod}")),)


def unless_listed(identifier: str, command: str, *, running: bool = False) -> str:
    """Return a command that is run only as long as the runtime lists no sandbox and no container with an id.

    A runtime that was restarted may have read its records again since: what it did not list is a pod's that is well.

    Args:
        identifier: The whole id, of which nobody knows whether it is a sandbox's or a container's.
        command: A command line.
        running: Whether only a ready sandbox and a running container count.
    """
    quoted = shlex.quote(identifier)
    sandboxes, containers = ("--state ready ", "") if running else ("", "--all ")
    # Without the last word nobody could tell an empty list from a runtime that did not answer.
    listed = (
        f"crictl pods --quiet {sandboxes}--id {quoted} && crictl ps --quiet {containers}--id {quoted} && echo asked"
    )
    why = RUNS if running else LISTED
    return only_if(f'case "$({listed})" in asked) ;; *asked) {_nothing_done(why)};; *) false;; esac', command)


def _nothing_done(why: str) -> str:
    return f"echo {shlex.quote(why)}; false"


def only_if(condition: str, command: str) -> str:
    """Return a command that is run only as long as a condition holds; both are command lines."""
    return f"{condition} && {command}"
