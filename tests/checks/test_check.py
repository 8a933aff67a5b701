"""The declaration of a check, and the walk of the folder that finds them."""

from pathlib import Path

import pytest

from pausewatch import checks
from pausewatch.checks._check import all_checks, thresholds_of
from pausewatch.checks.zombie_buildup import CHECK


def test_every_file_of_the_folder_is_a_check() -> None:
    """Nothing but the file has to be added."""
    folder = Path(checks.__path__[0])
    files = sorted(path.stem.replace("_", "-") for path in folder.glob("[!_]*.py"))

    assert [check.id for check in all_checks()] == files
    assert {"namespace-not-shared", "orphaned-sandbox", "zombie-buildup"} <= set(files)


def test_configured_thresholds_stand_over_the_defaults() -> None:
    """What is not configured keeps its default; other checks' values do not leak in."""
    values = thresholds_of(CHECK, {"zombie-buildup": {"zombies": 3}, "namespace-not-shared": {"zombies": 4}})

    assert values == {"zombies": 3, "seen_for_seconds": 60}


def test_reason_is_found_by_name() -> None:
    """An undeclared one is a bug."""
    assert CHECK.reason("ZombieBuildup").name == "ZombieBuildup"
    with pytest.raises(KeyError):
        CHECK.reason("Undeclared")


def test_page_stands_beside_the_module() -> None:
    """Its name follows from the id."""
    assert CHECK.page == "zombie_buildup.md"
