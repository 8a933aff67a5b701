"""What a soak showed: a table of its faults, and whether what the agent took stayed the same."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from e2e.soak.ledger import Case, Ledger
from e2e.soak.watcher import Sample

SOAK = "soak"
"""The name under which a test records the table; the end of a run prints it."""

SETTLING_SHARE = 0.1
"""Of the scans, the first, that are left out: caches and the allocator's lists find their size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One number in the first and in the last quarter of a soak."""

    first: float
    last: float

    def __str__(self) -> str:
        return f"{self.first:.3g} in the first quarter, {self.last:.3g} in the last"


def resident_mib(samples: Sequence[Sample]) -> Course:
    """Return the median of the resident memory."""
    return _course([one.resident_mib for one in samples], median)


def descriptors(samples: Sequence[Sample]) -> Course:
    """Return the smallest count of open files: that of a moment when no process ended, and nobody was asked."""
    return _course([float(one.descriptors) for one in samples], min)


def scan_seconds(samples: Sequence[Sample]) -> Course:
    """Return the first decile of the time of a scan: that of a scan which others on the machine hold up the least."""
    return _course([one.seconds for one in samples], lambda values: quantiles(values, n=10)[0])


def _course(values: Sequence[float], of: Callable[[Sequence[float]], float]) -> Course:
    settled = values[round(len(values) * SETTLING_SHARE) :]
    quarter = len(settled) // 4
    return Course(first=of(settled[:quarter]), last=of(settled[-quarter:]))


def rendered(ledger: Ledger, samples: Sequence[Sample], *, title: str) -> str:
    """Return the table as text, one line for each kind of fault.

    Args:
        ledger: Those of its cases that were not cleared are only counted.
        samples: One for each scan.
        title: The first line.
    """
    by_name: dict[str, list[Case]] = defaultdict(list)
    ended = [case for case in ledger.cases if case.cleared_at is not None]
    for case in ended:
        by_name[case.kind.name].append(case)
    head = (
        f"  {'fault':18} {'finding':24} {'count':>5}  {'found in':>9} {'allowed':>7}  {'cleared in':>10} {'allowed':>7}"
    )
    lines = [title, head]
    for name, cases in sorted(by_name.items()):
        kind = cases[0].kind
        found, cleared = [one.found_in for one in cases], [one.cleared_in for one in cases]
        lines.append(
            f"  {name:18} {kind.reason:24} {len(cases):5}  {_both(found):>9} {ledger.found_within_scans(kind):7}"
            f"  {_both(cleared):>10} {ledger.cleared_within_scans():7}"
        )
    counts = f"{len(ended)} faults of {len(by_name)} kinds in {ledger.scans} scans, and {len(ledger.unseen)} unseen"
    if len(ended) < len(ledger.cases):
        counts += f"; {len(ledger.cases) - len(ended)} more were not cleared when it ended"
    lines += [
        f"  {counts}; found and cleared in scans, median and most",
        f"  outages: {', '.join(f'{what}: {count}' for what, count in sorted(ledger.outages.items())) or 'none'}",
        f"  pods that end, told as Info because their runtime heard of it late: in {ledger.late} scans",
        f"  resident memory, MiB: {resident_mib(samples)}; by tenths {_by_tenths(samples)}",
        f"  open files, beyond those of living processes: {descriptors(samples)}",
        f"  seconds of a scan: {scan_seconds(samples)}",
    ]
    return "\n".join(lines)


def _by_tenths(samples: Sequence[Sample]) -> str:
    size = max(1, len(samples) // 10)
    parts = [samples[begin : begin + size] for begin in range(0, 10 * size, size)]
    return " ".join(f"{median(one.resident_mib for one in part):.1f}" for part in parts if part)


def _both(values: Sequence[int]) -> str:
    return f"{median(values):g}/{max(values)}"
