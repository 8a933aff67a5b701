"""Next commands that many checks end with."""

from support.parts import SHARED_UID, WEB_UID


def delete_pod(namespace: str, name: str, uid: str) -> str:
    """Return what deletes a pod, and only the one with this uid; names as they stand in a shell."""
    in_namespace = f"kubectl --namespace {namespace}"
    mirror = r"{.metadata.annotations.kubernetes\.io/config\.mirror}"
    return (
        f"case \"$({in_namespace} get pod {name} -o jsonpath='{{.metadata.uid}} {mirror}')\" in "
        f"'{uid} '*) ;; "
        f"*' {uid}') echo 'it is a static pod: move its manifest out of the static pod directory of its node, and back "
        "once it has ended'; false;; "
        "*' '*) echo 'it was made anew since: nothing to delete'; false;; "
        f"*) false;; esac && {in_namespace} delete pod {name}"
    )


DELETE_WEB = delete_pod("team-a", "web-x", WEB_UID)
DELETE_SHARED = delete_pod("team-b", "shared-y", SHARED_UID)
