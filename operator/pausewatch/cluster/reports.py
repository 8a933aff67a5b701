"""The PodSandboxReport of one node in the API server: read, created, its status replaced."""

import logging
from dataclasses import dataclass
from urllib.parse import quote

from pausewatch.cluster.client import JSON_PATCH, ApiClient, Object
from pausewatch.cluster.errors import FORBIDDEN, NOT_FOUND, ApiError
from pausewatch.sinks.report import API_VERSION

GROUP, _, VERSION = API_VERSION.partition("/")
PLURAL = "podsandboxreports"
GROUP_PATH = f"/apis/{API_VERSION}"
REPORTS_PATH = f"{GROUP_PATH}/{PLURAL}"

REVIEW_VERSION = "authentication.k8s.io/v1"
REVIEWS = f"/apis/{REVIEW_VERSION}/selfsubjectreviews"
"""Everybody who is logged in may ask who they are (the built-in ClusterRole system:basic-user)."""

NODE_UID_CLAIM = "authentication.kubernetes.io/node-uid"
NODE_NAME_CLAIM = "authentication.kubernetes.io/node-name"
"""Extra keys of a user whose token is bound to a pod (Kubernetes 1.30 and later: service account token node info)."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the watch says about the report of this node."""

    uid: str
    version: str
    """``metadata.resourceVersion``; only ever compared for being equal."""

    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReports:
    """The one report that this agent may write."""

    api: ApiClient
    node_name: str

    @property
    def path(self) -> str:
        """Of the object."""
        return f"{REPORTS_PATH}/{quote(self.node_name, safe='')}"

    async def read(self) -> Object | None:
        """Return the stored object; None if there is none.

        Raises:
            ApiError: The API server did not answer, or serves no reports.
        """
        try:
            return await self.api.request("GET", self.path)
        except ApiError as error:
            if error.status == NOT_FOUND and not error.resource_unknown:
                return None
            raise

    async def create(self, report: Object) -> Object:
        """Create the object, owned by the Node, so that it goes with it; its status is not part of that.

        Raises:
            ApiError: It was not created; status 409 if it is there already.
        """
        uid = await self._node_uid()
        if not uid:
            logger.warning(
                "report %s is created without an owner, because neither the agent's token nor the API server tells the"
                " uid of Node %s: it will stay when the Node is gone. Give the agent the token of its pod (Kubernetes"
                " 1.30 or later), and delete the report once: the next one has an owner",
                *(self.node_name, self.node_name),
            )
        owner = [{"apiVersion": "v1", "kind": "Node", "name": self.node_name, "uid": uid}] if uid else []
        metadata = report["metadata"] | ({"ownerReferences": owner} if owner else {})
        body = {key: value for key, value in report.items() if key != "status"} | {"metadata": metadata}
        return await self.api.request("POST", REPORTS_PATH, body=body)

    async def replace_status(self, status: Object) -> Object:
        """Replace the whole status: nothing of an older one stays, and no resource version is needed.

        A merge patch would keep what is left out now, such as the version of a runtime that is gone; only we write it.

        Raises:
            ApiError: It was not written; status 404 if the object is gone.
        """
        patch: list[Object] = [{"op": "add", "path": "/status", "value": status}]
        return await self.api.request("PATCH", f"{self.path}/status", body=patch, headers={"Content-Type": JSON_PATCH})

    async def _node_uid(self) -> str:
        """Return the uid of the Node, from our own token or from the Node; empty if neither tells.

        Without an owner the report outlives its Node; that is better than no report.
        """
        review = await self._if_allowed("POST", REVIEWS, {"apiVersion": REVIEW_VERSION, "kind": "SelfSubjectReview"})
        claims = review.get("status", {}).get("userInfo", {}).get("extra") or {}
        if claims.get(NODE_UID_CLAIM) and claims.get(NODE_NAME_CLAIM) == [self.node_name]:
            return str(claims[NODE_UID_CLAIM][0])
        node = await self._if_allowed("GET", f"/api/v1/nodes/{quote(self.node_name, safe='')}")
        return str(node.get("metadata", {}).get("uid", ""))

    async def _if_allowed(self, method: str, path: str, body: Object | None = None) -> Object:
        """Ask for what may be forbidden or not there; the answer is empty then."""
        try:
            return await self.api.request(method, path, body=body)
        except ApiError as error:
            if error.status in (FORBIDDEN, NOT_FOUND):
                return {}
            raise
