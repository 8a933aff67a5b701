"""Prometheus' own judgement of what the agent exposes."""

import subprocess
from pathlib import Path

from lab.build.cache import ensure
from lab.build.debian import debian_package


def ensure_promtool() -> Path:
    """Unpack promtool if it is not in the cache, and say where it is.

    Raises:
        BuildError: The package could not be had.
    """
    return ensure(debian_package("prometheus")) / "usr/bin/promtool"


def complaints(promtool: Path, exposition: str) -> str:
    """Return what ``promtool check metrics`` says against an exposition; empty if it has nothing to say."""
    command = [str(promtool), "check", "metrics"]
    done = subprocess.run(command, input=exposition, capture_output=True, text=True, timeout=20, check=False)
    said = f"{done.stdout}{done.stderr}".strip()
    return said if done.returncode == 0 else f"exit code {done.returncode}: {said}"


def complaints_about_rules(promtool: Path, rules: Path) -> str:
    """Return what ``promtool check rules`` says against a rule file; empty if it has nothing to say."""
    return _failure([str(promtool), "check", "rules", "--lint-fatal", str(rules)])


def complaints_of_rule_tests(promtool: Path, tests: Path) -> str:
    """Return what ``promtool test rules`` says of a file of tests; empty if all of them pass."""
    return _failure([str(promtool), "test", "rules", str(tests)])


def _failure(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    return "" if done.returncode == 0 else f"exit code {done.returncode}: {done.stdout}{done.stderr}".strip()
