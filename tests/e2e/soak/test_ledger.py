from e2e.soak import anytime, unattended
from e2e.soak.kind import Told
from e2e.soak.ledger import Case, Ledger
from e2e.support.pace import Pace

PACE = Pace(scan_period_seconds=2)
LOOPBACK = next(one for one in anytime.kinds() if one.name == "loopback")
LEAK = next(one for one in unattended.kinds() if one.name == "leaked-address")
ITS_FINDING = Told("LoopbackDown", "Critical", "loopback-1")


def a_ledger() -> tuple[Ledger, Case]:
    """Return the books of a fault that is there since scan 10."""
    ledger = Ledger(pace=PACE)
    case = ledger.open(1, LOOPBACK)
    case.there_at = 10
    return ledger, case


def see(ledger: Ledger, scan: int, *told: Told, skipped: int = 0) -> None:
    """Take down a scan in which no check broke."""
    ledger.see(scan, told, skipped=skipped, broken=0, ending=("guest-1",))


def heal(case: Case, after_scan: int) -> None:
    """Heal a fault."""
    case.healing = True
    case.healed_at = after_scan


def test_fault_that_is_told_and_cleared_in_time() -> None:
    """Counted in scans from when it was there, and from when it was healed."""
    ledger, case = a_ledger()
    see(ledger, 11)
    see(ledger, 12, ITS_FINDING)
    heal(case, 14)
    see(ledger, 15, ITS_FINDING)
    see(ledger, 16)

    assert (case.found_in, case.cleared_in, ledger.problems) == (2, 2, [])


def test_told_before_all_was_done() -> None:
    """A scan in between may see it already."""
    ledger, case = a_ledger()
    case.there_at = None
    see(ledger, 9, ITS_FINDING)
    case.there_at = 10

    assert (case.found_in, ledger.problems) == (0, [])


def test_told_too_late() -> None:
    """Later than what its check declares and two periods."""
    ledger, case = a_ledger()
    allowed = ledger.found_within_scans(LOOPBACK)
    see(ledger, 10 + allowed + 1, ITS_FINDING)

    assert case.found_in == allowed + 1
    assert "told after" in ledger.problems[0]


def test_scans_at_which_nobody_looked() -> None:
    """What is told after them may have been told in them; those before a fault was healed say nothing of its end."""
    ledger, case = a_ledger()
    allowed = ledger.found_within_scans(LOOPBACK)
    ledger.miss((11, 12))
    see(ledger, 10 + allowed + 2, ITS_FINDING)
    heal(case, 30)
    ledger.miss((31,))
    see(ledger, 30 + ledger.cleared_within_scans() + 1, ITS_FINDING)
    assert (ledger.problems, ledger.unseen) == ([], [11, 12, 31])
    see(ledger, 30 + ledger.cleared_within_scans() + 2, ITS_FINDING)

    assert "was healed after scan 30" in ledger.problems[0]


def test_not_cleared_in_time() -> None:
    """It is healed, and told in a scan too many."""
    ledger, case = a_ledger()
    see(ledger, 12, ITS_FINDING)
    heal(case, 14)
    see(ledger, 14 + ledger.cleared_within_scans(), ITS_FINDING)
    assert ledger.problems == []
    see(ledger, 15 + ledger.cleared_within_scans(), ITS_FINDING)

    assert "was healed after scan 14" in ledger.problems[0]


def test_told_again_after_it_was_cleared() -> None:
    """Then nothing explains it any more."""
    ledger, case = a_ledger()
    see(ledger, 12, ITS_FINDING)
    heal(case, 14)
    see(ledger, 16)
    see(ledger, 17, ITS_FINDING)

    assert "nothing is wrong there" in ledger.problems[0]


def test_told_no_more_although_it_is_there() -> None:
    """What is told stays so until it is healed."""
    ledger, _ = a_ledger()
    see(ledger, 12, ITS_FINDING)
    see(ledger, 13)

    assert "told no more" in ledger.problems[0]


def test_false_alarms() -> None:
    """Another pod, another reason and the node are not explained by the fault; a young finding of its own is."""
    for told in (ITS_FINDING._replace(pod="guest-1"), ITS_FINDING._replace(reason="PauseGone"), Told("X", "Info", "")):
        ledger, _ = a_ledger()
        see(ledger, 11, told)
        assert "nothing is wrong there" in ledger.problems[0]
    ledger, _ = a_ledger()
    see(ledger, 11, ITS_FINDING._replace(severity="Info"))
    assert ledger.problems == []


def test_fault_of_the_node() -> None:
    """Its finding names no pod; as old as it was made, only scans are left to wait for."""
    ledger = Ledger(pace=PACE)
    ledger.open(1, LEAK)
    see(ledger, 5, Told("LeakedPodAddress", "Warning", ""))

    assert ledger.problems == []
    assert ledger.found_within_scans(LEAK) < 10


def test_skipped_checks() -> None:
    """Only an outage explains them."""
    ledger, _ = a_ledger()
    ledger.outage = "the runtime hangs"
    see(ledger, 11, skipped=3)
    assert ledger.problems == []
    ledger.outage = ""
    see(ledger, 12, skipped=3)

    assert "3 checks were skipped" in ledger.problems[0]


def test_pod_that_ends() -> None:
    """Its runtime may hear of it late: told as Info that is no false alarm, as anything more it is."""
    young = Told("ContainerProcessGone", "Info", "guest-1")
    for told, wrong in (
        (young, 0),
        (young._replace(severity="Critical"), 1),
        (young._replace(reason="OrphanedSandbox"), 1),
        (young._replace(pod="guest-2"), 1),
    ):
        ledger, _ = a_ledger()
        see(ledger, 11, told)
        assert (len(ledger.problems), ledger.late) == (wrong, 1 - wrong)
