"""A network plugin (CNI) that fails when it is called, in one lab only: the plugins themselves belong to all labs."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from lab.shapes.runtime import RuntimeLab

#: The one plugin of the lab's network, see `lab.shapes.containerd`.
_PLUGIN = "ptp"

#: What it answers, as containerd quotes it.
COMPLAINT = "the lab has no room"

_SCRIPT = """\
#!/bin/sh
# The CNI specification: the command comes in CNI_COMMAND, an error goes to standard output.
if [ "$CNI_COMMAND" = {command} ]; then
	echo '{{"cniVersion": "0.4.0", "code": 100, "msg": "{complaint}"}}'
	exit 1
fi
exec {real} "$@"
"""


@contextmanager
def failing(lab: RuntimeLab, command: Literal["ADD", "DEL"]) -> Iterator[None]:
    """Within this context no sandbox with a network of its own can be made (ADD), or be taken down (DEL).

    Sandboxes that are there work on. Afterwards the plugin works again; the kubelet tries again by itself.
    """
    plugin = lab.programs.cni / _PLUGIN
    folder = lab.places.run / "failing-plugin"
    folder.mkdir(exist_ok=True)
    real, script = folder / f"real-{_PLUGIN}", folder / _PLUGIN
    shutil.copy2(plugin, real)
    script.write_text(_SCRIPT.format(command=command, complaint=COMPLAINT, real=real))
    script.chmod(0o755)
    # Seen in the lab's mount namespace only.
    lab.enter("mount", "--bind", str(script), str(plugin))
    try:
        yield
    finally:
        lab.enter("umount", str(plugin))
