"""Commands that change something, made so that they can not hit anything but what was found.

A report is read minutes after it was written. By then a pod of a StatefulSet has been made anew under its name, an
address belongs to another pod, a pid to another process. Ids of sandboxes and containers are never given twice, so
commands that name one need no more. All others look first, or let the API server look, and do nothing if it is no
longer the same: whoever pastes one reads what is looked for.
"""

import json
import re
import shlex

from pausewatch.model.report import NextCommand, RunOn

NAME = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
"""What a pod or a Kubernetes namespace may be called (apimachinery: IsDNS1123Subdomain), and no part of a path that
leads elsewhere, such as two dots."""

LISTED = "the runtime lists it by now: nothing to end"
RUNS = "the runtime runs it by now: nothing to end"


def delete_pod(namespace: str, name: str, uid: str) -> tuple[NextCommand, ...]:
    """Return the command that deletes a pod as long as it is the one with this uid; nothing if that can not be asked.

    The API server compares the uid in the moment in which it deletes (apimachinery: DeleteOptions, preconditions).
    Typed too late, the command deletes nothing, and kubectl says why. So it does of a static pod, whose uid in the API
    is that of its mirror pod; deleting that would change nothing, for the kubelet makes it anew and leaves the pod
    alone.
    """
    if not uid or not NAME.fullmatch(namespace) or not NAME.fullmatch(name):
        return ()
    only_this = shlex.quote(json.dumps({"preconditions": {"uid": uid}}, separators=(",", ":")))
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    # The answer is the whole pod.
    command = f"echo {only_this} | kubectl delete --raw {path} --filename - >/dev/null && echo 'being deleted'"
    return (NextCommand(run_on=RunOn.CLUSTER, command=command),)


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
