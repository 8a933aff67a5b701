from e2e.soak import anytime
from e2e.soak.ledger import Ledger
from e2e.soak.table import descriptors, rendered, resident_mib, scan_seconds
from e2e.soak.watcher import Sample
from e2e.support.pace import Pace

LOOPBACK = next(one for one in anytime.kinds() if one.name == "loopback")


def samples(growth: float) -> list[Sample]:
    """Return a hundred of an agent that grows by so much in each scan."""
    return [
        Sample(scan=scan, seconds=0.05 * (1 + growth * scan), resident_mib=60 + growth * scan, descriptors=30)
        for scan in range(100)
    ]


def test_what_stays_the_same() -> None:
    """All of it, in both quarters."""
    still = samples(0)

    assert resident_mib(still).last == resident_mib(still).first == 60
    assert descriptors(still).last == descriptors(still).first == 30
    assert scan_seconds(still).last == scan_seconds(still).first


def test_what_grows() -> None:
    """The last quarter tells, and the first scans are left out."""
    growing = samples(0.1)

    assert 60 + 1 < resident_mib(growing).first < resident_mib(growing).last - 5
    assert scan_seconds(growing).last > 2 * scan_seconds(growing).first


def test_rendered() -> None:
    """One line for a kind: how often, in how many scans it was found and cleared, and what is allowed."""
    ledger = Ledger(pace=Pace(scan_period_seconds=2))
    for number, told_at in ((1, 13), (2, 11), (3, 12)):
        case = ledger.open(number, LOOPBACK)
        case.there_at, case.told_at, case.healed_at, case.cleared_at = 10, told_at, 20, 22

    ledger.open(4, LOOPBACK).there_at = 40
    ledger.outages["the runtime hangs"] = 2

    text = rendered(ledger, samples(0), title="SOAK_SEED=7")

    (line,) = [one.split() for one in text.splitlines() if one.startswith("  loopback")]
    found, cleared = str(ledger.found_within_scans(LOOPBACK)), str(ledger.cleared_within_scans())
    assert line == ["loopback", "LoopbackDown", "3", "2/3", found, "2/2", cleared]
    assert "3 faults of 1 kinds" in text
    assert "1 more were not cleared" in text
    assert "outages: the runtime hangs: 2" in text
