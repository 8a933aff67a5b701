"""Rules of the repository that no tool knows."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "operator" / "pausewatch"

UNTESTED_BY_NAME = {"__init__.py", "__main__.py"}
VALUES_ONLY = {
    # Declarations without behaviour of their own: every other test uses them.
    "model/access.py",
    "model/address_pool.py",
    "model/availability.py",
    "model/history.py",
    "model/membership.py",
    "model/pause_usage.py",
    "model/pid_limit.py",
    "model/pod.py",
    "model/sandbox.py",
    "model/sandbox_image.py",
    "model/snapshot.py",
    "cli/errors.py",
    "sinks/exposed.py",
    "sources/pods.py",
}

OF_SEVERAL_MODULES = {
    "checks/test_all_checks.py",
    "checks/test_hostile_commands.py",
    "cli/test_examples.py",
    "sinks/test_hostile_names.py",
    "sinks/test_screens.py",
    "test_recorded_runtimes.py",
}
"""Tests that hold all of a folder to one rule, or what several modules make of one input."""


def modules() -> list[str]:
    """Return every module of the package that must have a test, relative to the package."""
    found = (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if "_generated" not in path.parts)
    return sorted(str(path) for path in found if path.name not in UNTESTED_BY_NAME and str(path) not in VALUES_ONLY)


def test_operator_is_no_package() -> None:
    """operator/__init__.py would shadow the standard library's module of that name."""
    assert not (REPOSITORY / "operator" / "__init__.py").exists()
    assert (PACKAGE / "__init__.py").exists()


@pytest.mark.parametrize("module", modules())
def test_every_module_has_its_test(module: str) -> None:
    """tests/ mirrors the package file for file, so that a module's test can be found from its name."""
    path = Path(module)
    test = REPOSITORY / "tests" / path.parent / f"test_{path.stem.lstrip('_')}.py"

    assert test.exists(), f"{module} has no test: write {test.relative_to(REPOSITORY)}"


def test_every_test_has_its_module() -> None:
    """The tests of one module may be several files: test_sweep.py, and test_sweep_sleepers.py about one subject."""
    folders = {path.parent.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")}
    found = {path for folder in folders for path in (REPOSITORY / "tests" / folder).glob("test_*.py")}
    foreign = {
        str(path.relative_to(REPOSITORY / "tests"))
        for path in found
        if not _is_of_a_module(path.stem.removeprefix("test_"), PACKAGE / path.relative_to(REPOSITORY / "tests").parent)
    }

    assert foreign == OF_SEVERAL_MODULES


@pytest.mark.parametrize("module", sorted(VALUES_ONLY))
def test_list_of_modules_without_a_test_is_current(module: str) -> None:
    """A module that is gone must not stay on the list."""
    assert (PACKAGE / module).exists()


def test_init_files_hold_a_docstring_only() -> None:
    """Code in __init__ files would be found by nobody."""
    for path in PACKAGE.rglob("__init__.py"):
        if "_generated" not in path.parts:
            text = path.read_text().strip()
            assert text.startswith('"""'), path
            assert text.endswith('"""'), path
            assert text.count('"""') == 2, path


def _is_of_a_module(name: str, folder: Path) -> bool:
    """Whether a module of a folder is called so, or so up to an underscore."""
    stems = (path.stem.lstrip("_") for path in folder.glob("*.py"))
    return any(name == stem or name.startswith(f"{stem}_") for stem in stems)
