"""What is shipped: the wheel and its locked dependencies."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def names(lock: str) -> dict[str, str]:
    """Return package names and pinned versions of a lock file."""
    text = (REPOSITORY / lock).read_text()
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^ \\]+)", text, re.MULTILINE))


def test_every_dependency_is_locked_with_a_hash() -> None:
    """A dependency without a hash could be replaced on its way."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[ ><=]", dependency)[0].lower() for dependency in project["dependencies"]}

    assert wanted <= set(names("requirements.lock"))
    for lock in ("requirements.lock", "requirements-build.lock", "requirements-dev.lock"):
        entries = re.split(r"\n(?=[a-z0-9])", (REPOSITORY / lock).read_text().strip())
        assert all("--hash=sha256:" in entry for entry in entries)


def test_tests_run_with_the_versions_that_ship() -> None:
    """The development lock contains the shipped one."""
    shipped = names("requirements.lock")
    developed = names("requirements-dev.lock")

    assert {name: developed.get(name) for name in shipped} == shipped


def test_image_is_built_with_what_builds_the_wheel() -> None:
    """The build backend's own lock, which the Dockerfile installs from: the versions that tests build with."""
    (backend,) = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["build-system"]["requires"]
    building, developed = names("requirements-build.lock"), names("requirements-dev.lock")

    assert backend in {f"{name}=={version}" for name, version in building.items()}
    assert {name: developed.get(name) for name in building} == building


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", folder, REPOSITORY], check=True)
    return next(folder.glob("*.whl"))


def test_wheel_holds_the_program_and_its_pages(wheel: Path) -> None:
    """`pausewatch explain` reads the pages from the installed package."""
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        entry_points = next(name for name in held if name.endswith("entry_points.txt"))
        scripts = archive.read(entry_points).decode()
    package = REPOSITORY / "operator" / "pausewatch"
    expected = {f"pausewatch/{path.relative_to(package)}" for path in package.rglob("*") if path.is_file()}

    assert {name for name in expected if not name.endswith(".pyc")} <= held
    assert "pausewatch = pausewatch.cli.main:main" in scripts
    assert "kubectl-pausewatch = pausewatch.kubectl_plugin.main:main" in scripts
    assert "kubectl_complete-pausewatch = pausewatch.kubectl_plugin.completion:main" in scripts


def test_wheel_runs_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """What people install answers `--version` and `explain`, far from any source tree."""
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel]
    subprocess.run(install, check=True)
    run = [sys.executable, "-m", "pausewatch"]
    environment = {"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"}

    version = subprocess.run(
        [*run, "--version"], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    page = subprocess.run(
        [*run, "explain", "ZombieBuildup"], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )

    assert re.fullmatch(r"pausewatch \d+\.\d+\.\d+\n", version.stdout)
    assert "Dead processes pile up" in page.stdout
