"""How many inotify instances one user may have on this machine."""

from pathlib import Path

_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
_ENOUGH = 1024
"""A cluster has fifteen, and a kubelet that gets none does not start. What a kernel allows by itself, 128, is used up
by seven clusters."""


def allow_many_instances() -> None:
    """Raise the limit to what many clusters side by side need; nothing lowers it again, because another may need it."""
    if int(_LIMIT.read_text(encoding="ascii")) < _ENOUGH:
        _LIMIT.write_text(str(_ENOUGH), encoding="ascii")
