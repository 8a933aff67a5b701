"""One command of a Go module, for recipes that came after golang.py.

The text of golang.py is part of the key of everything that it builds: a name more in there would have all of Kubernetes
built again on every machine. So what it keeps to itself is given a public name here, and nowhere else.
"""

from lab.build.cache import Component
from lab.build.golang import _component, _Recipe
from lab.pins import GO_MODULES


def go_command(name: str, source: str, *, package: str = "", variables: tuple[str, ...] = ()) -> Component:
    """Return a command, below bin/.

    Args:
        name: Of the directory below go/ that pins it; the component is called so behind "go-", with dashes.
        source: The Go module that holds it, as ``pins.GO_MODULES`` has it.
        package: The path of the command inside that module; empty for its root.
        variables: What the linker sets, "import/path.name=value".
    """
    recipe = _Recipe(name, (f"{source}/{package}".rstrip("/"),), variables=variables)
    return _component(f"go-{name.replace('_', '-')}", GO_MODULES[source], recipe)
