"""Next commands that many checks end with."""

from support.parts import SHARED_UID, WEB_UID


def delete_pod(namespace: str, name: str, uid: str) -> str:
    """Return what deletes a pod, and only the one with this uid."""
    only_this = f"""echo '{{"preconditions":{{"uid":"{uid}"}}}}'"""
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    return f"{only_this} | kubectl delete --raw {path} --filename - >/dev/null && echo 'being deleted'"


DELETE_WEB = delete_pod("team-a", "web-x", WEB_UID)
DELETE_SHARED = delete_pod("team-b", "shared-y", SHARED_UID)
