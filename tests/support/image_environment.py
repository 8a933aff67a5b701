"""The environment in which the agent's image starts it, for agents and measurements beside a container."""

import re
from pathlib import Path


def image_variables() -> dict[str, str]:
    """Return the environment that the agent's image sets, but its PATH: how memory is kept follows from it."""
    dockerfile = Path(__file__).parents[2] / "Dockerfile"
    # The stages before the last one only build.
    *_, line = re.findall(r"^ENV (.*)$", dockerfile.read_text(encoding="utf-8"), re.MULTILINE)
    variables = dict(word.split("=", 1) for word in line.split())
    del variables["PATH"]
    return variables
