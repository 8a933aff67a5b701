"""The agent leaves no zombies of its own: docs/decisions/0006-what-the-image-holds.md."""

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "operator" / "pausewatch"

#: The modules that may start a process: one of the agent, with the setting deepProbe only, and one that is no part of
#: the agent (an import contract of pyproject.toml) and calls kubectl for the person who called it.
STARTS_ONE = ("sources/network/deep_probe.py", "kubectl_plugin/kubectl.py")
#: Returns when the child has been waited for, and kills it when that takes too long.
WAITING = {"subprocess.run"}

#: What makes a process in the standard library, by its qualified name.
MAKES_ONE = re.compile(
    r"(multiprocessing|pty|concurrent\.futures\.process|.*ProcessPoolExecutor)\b"
    r"|os\.(fork|popen|posix_spawn|spawn|system)"
    r"|.*\b(create_subprocess|subprocess)_(exec|shell)$"
    r"|subprocess\.(run|call|check_call|check_output|getoutput|getstatusoutput|Popen)$"
)


def names_in(path: Path) -> set[str]:
    """Return what a module imports and uses by a qualified name, as in "os.fork"."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                found |= {one.name for one in names}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {f"{module}.{one.name}" for one in names}
            case ast.Attribute():
                found.add(ast.unparse(node))
    return found


def test_few_modules_start_processes_and_wait_for_each() -> None:
    """Who has no children has none that it could forget to wait for."""
    making = {
        str(path.relative_to(PACKAGE)): {name for name in names_in(path) if MAKES_ONE.match(name)}
        for path in PACKAGE.rglob("*.py")
    }

    assert {module: names for module, names in making.items() if names} == dict.fromkeys(STARTS_ONE, WAITING)
