"""What a finding is about."""

from dataclasses import dataclass

NODE_SUBJECT_NAME = "node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A container, a pod's sandbox, or (everything empty) the node itself."""

    namespace: str = ""
    """The pod's Kubernetes namespace."""

    pod: str = ""
    uid: str = ""
    sandbox_id: str = ""
    container: str = ""
    """The container's name, with ``#attempt`` where two of that name run in one sandbox."""

    @property
    def is_node(self) -> bool:
        """Whether it is about the node and not about a pod."""
        return not self.pod

    def __str__(self) -> str:
        """Return it as people write it: ``namespace/pod/container``."""
        if self.is_node:
            return "the node"
        return "/".join(part for part in (self.namespace, self.pod, self.container) if part)

    @property
    def sort_key(self) -> tuple[str, ...]:
        """Order by what people read, then by what makes it unique."""
        return (self.namespace, self.pod, self.container, self.uid, self.sandbox_id)

    def finding_id(self, check: str, part: str = "") -> str:
        """Return the stable, unique id of a finding of ``check`` about this subject.

        ``part`` tells several findings of one check about one subject apart (the Linux namespace). The last piece
        is the start of the sandbox's id, or of the pod's uid where it has no sandbox: a pod that is created anew is
        another subject.
        """
        pieces = (check, NODE_SUBJECT_NAME) if self.is_node else (check, self.pod, self.container)
        return "/".join(piece for piece in (*pieces, part, (self.sandbox_id or self.uid)[:12]) if piece)
