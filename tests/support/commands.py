"""Next commands that many checks end with."""

from support.builders import SHARED_UID, WEB_UID


def delete_pod(namespace: str, name: str, uid: str) -> str:
    """Return what deletes a pod, and only the one with this uid."""
    in_namespace = f"kubectl --namespace {namespace}"
    still_it = f'test "$({in_namespace} get pod {name} -o jsonpath={{.metadata.uid}})" = {uid}'
    return f"{still_it} && {in_namespace} delete pod {name}"


DELETE_WEB = delete_pod("team-a", "web-x", WEB_UID)
DELETE_SHARED = delete_pod("team-b", "shared-y", SHARED_UID)
