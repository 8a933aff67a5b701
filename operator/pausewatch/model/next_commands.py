"""Commands that change something, made so that they can not hit anything but what was found.

A report is read minutes after it was written. By then a pod of a StatefulSet has been made anew under its name, an
address belongs to another pod, a pid to another process. Ids of sandboxes and containers are never given twice, so
commands that name one need no more. All others look first and do nothing if it is no longer the same: whoever pastes
one reads what it looks for.
"""

import shlex

from pausewatch.model.report import NextCommand, RunOn


def delete_pod(namespace: str, name: str, uid: str) -> tuple[NextCommand, ...]:
    """Return the command that deletes a pod as long as it is the one with this uid; nothing if the uid is not known.

    A static pod has another uid in the API than on the node (that of its mirror pod): nothing is deleted then, and
    nothing would be gained, for the kubelet makes a mirror pod anew and leaves the pod alone.
    """
    if not uid:
        return ()
    in_namespace = f"kubectl --namespace {shlex.quote(namespace)}"
    pod = shlex.quote(name)
    still_it = f'test "$({in_namespace} get pod {pod} -o jsonpath={{.metadata.uid}})" = {shlex.quote(uid)}'
    return (NextCommand(run_on=RunOn.CLUSTER, command=f"{still_it} && {in_namespace} delete pod {pod}"),)


def only_if(condition: str, command: str) -> str:
    """Return a command that is run only as long as a condition holds; both are command lines."""
    return f"{condition} && {command}"
