"""What the API server, or the way to it, answers instead of an object."""

from pausewatch.model.availability import Unavailable
from pausewatch.model.text import printable

LONGEST_MESSAGE = 400
"""Characters kept of what a server says: admission webhooks may answer with pages."""

UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
CONFLICT = 409

RESOURCE_UNKNOWN = "ResourceUnknown"
"""The server has no such path: unlike a missing object, that 404 is no ``metav1.Status`` with details of a name."""

NAMESPACE_TERMINATING = "NamespaceTerminating"
"""The cause within a 403: nothing can be made any more in a Kubernetes namespace that is being deleted
(k8s.io/api/core/v1, NamespaceTerminatingCause)."""

REFUSED_BY_POLICY = "ValidatingAdmissionPolicy"
"""How the message of a 403 begins that a policy made, not a missing right (apiserver: admission/plugin/policy)."""

APPLY_DEFINITION = "kubectl apply -f manifests/crd.yaml"

REMEDIES = {
    0: "check that the API server can be reached from this node",
    401: "check the token or certificate of the agent",
    403: "grant the agent what its ClusterRole in the manifests lists: kubectl apply -f manifests/rbac.yaml",
    422: "bring the CustomResourceDefinition of PodSandboxReport and the agent to one version: update the agent, or"
    f" {APPLY_DEFINITION}",
}


class ApiError(Exception):
    """A request that was not answered with what was asked for.

    Attributes:
        status: HTTP status; 0 if there was no answer.
        reason: CamelCase and stable: ``metav1.Status.reason`` where the server gave one, else by what happened.
        resource_unknown: Whether the server does not serve the kind at all: its CustomResourceDefinition is missing.
        retry_after_seconds: How long the server asks to be left alone; 0 if it does not say.
    """

    def __init__(self, request: str, status: int, reason: str, message: str, *, retry_after_seconds: float = 0) -> None:
        self.status = status
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
        self.resource_unknown = status == NOT_FOUND and reason == RESOURCE_UNKNOWN
        text = printable(" ".join(message.split()), longest=LONGEST_MESSAGE)
        super().__init__(f"{request}: {f'{status} ' if status else ''}{reason}{f': {text}' if text else ''}")

    @property
    def remedy(self) -> str:
        """What to do about it, starting with a verb; empty where waiting is all there is to do."""
        if self.resource_unknown:
            return (
                f"install the CustomResourceDefinition of PodSandboxReport: {APPLY_DEFINITION}; where it is there,"
                " have it serve the version in that path"
            )
        if self.status == FORBIDDEN and REFUSED_BY_POLICY in str(self):
            return "do as the policy says; the own-node policy wants the token of a pod on the agent's own node"
        return REMEDIES.get(self.status, "")

    def as_unavailable(self) -> Unavailable:
        """Return it as what a source could not give."""
        return Unavailable(reason=self.reason, detail=str(self), remedy=self.remedy)
