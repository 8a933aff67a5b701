"""What was measured, as text for people."""

from collections.abc import Iterator, Sequence

from scale.fit import at_5000, grown
from scale.plan import CLUSTER_NODES, Plan, as_large_cluster
from scale.simulation import Measured
from scale.stage import Quantiles, Stage

MIB = 1024 * 1024
HEARTBEATS = ("quiet", "quiet, reports at their cap")


def of_plan(plan: Plan) -> Iterator[str]:
    """Yield what stands above the stages of one simulation."""
    yield (
        f"{plan.nodes} nodes at {plan.tempo:g} times the default pace:"
        f" {plan.quiet_writes_per_second:.2f} heartbeats/s, a fault is seen within {plan.scan_period_seconds:.1f} s"
    )
    yield (
        f"  {'stage':50} {'s':>6} {'most/s':>7} {'API':>6} {'etcd':>6} {'client':>6} {'API MiB':>8} {'etcd MiB':>8}"
        f" {'db MiB':>7} {'watches':>8} {'429':>4}  failures"
    )


def of_stage(stage: Stage) -> Iterator[str]:
    """Yield one stage: cores used, memory and database in its end, and how soon each kind of request was answered."""
    yield (
        f"  {stage.name:50} {stage.seconds:6.1f} {stage.most_in_a_second:7} {stage.api_cores:6.3f}"
        f" {stage.etcd_cores:6.3f} {stage.client_cores:6.3f} {stage.api_resident_bytes / MIB:8.0f}"
        f" {stage.etcd_resident_bytes / MIB:8.0f} {stage.database_bytes / MIB:7.1f}"
        f" {sum(stage.watches.values()):8} {stage.rejected:4}  {stage.failures or ''}"
    )
    for seen_by, found in (("API server", stage.by_server), ("agents", stage.by_client)):
        for kind, quantiles in found.items():
            yield _line(f"{seen_by}: {kind}", quantiles)
    if stage.fsync_seconds[0]:
        yield _line("etcd: fsync", stage.fsync_seconds)


def of_run(run: Measured) -> Iterator[str]:
    """Yield what is known at the end of one simulation."""
    for what, size in run.sizes.items():
        yield (
            f"  {what}: {size.object_bytes:,.0f} bytes in etcd; all of etcd then"
            f" {size.database_bytes / MIB:.1f} MiB, compacted"
        )
    fetched, returned, stored = run.list_objects
    yield f"  LISTs took {fetched:.0f} objects from the cache, {stored:.0f} from etcd, and returned {returned:.0f}"
    yield (
        f"  {run.owned} of {run.plan.nodes} reports are owned by their Node; {run.events_posted} Events posted,"
        f" {run.events_dropped} dropped; troubles told: {run.troubles or 'none'};"
        f" nodes that were not waited for: {run.unfinished or 'none'}"
    )


def of_fit(runs: Sequence[Measured]) -> Iterator[str]:
    """Yield what follows for 5,000 nodes from runs that wrote as often as those do."""
    largest = max(runs, key=lambda run: run.plan.nodes)
    sizes = ", ".join(str(run.plan.nodes) for run in runs)
    yield f"{CLUSTER_NODES} nodes, by the line through 0 and {sizes} nodes (above the idle servers):"
    for name, value in (
        ("API server, cores", lambda stage: stage.api_cores),
        ("etcd, cores", lambda stage: stage.etcd_cores),
        ("API server, resident MiB", lambda stage: stage.api_resident_bytes / MIB),
    ):
        found = grown(runs, "watching", value)
        yield (
            f"  watching only: {name}: {at_5000(runs, 'watching', value):.2f}"
            f" ({found.per_node * 1000:.2f} for 1,000 nodes, constant {found.constant:.2f})"
        )
    for stage in HEARTBEATS:
        more = largest.stages[stage].api_cores - largest.stages["watching"].api_cores
        etcd = largest.stages[stage].etcd_cores - largest.stages["watching"].etcd_cores
        yield (
            f"  {stage}: {largest.plan.quiet_writes_per_second:.2f} writes/s cost the API server {more:.3f} cores and"
            f" etcd {etcd:.3f}, beside the watches"
        )
    for what, size in largest.sizes.items():
        yield f"  {what}: {CLUSTER_NODES} take {size.object_bytes * CLUSTER_NODES / MIB:.0f} MiB"


def is_fitting(run: Measured) -> bool:
    """Whether a run wrote as often as 5,000 nodes do."""
    return run.plan.tempo == as_large_cluster(run.plan.nodes).tempo


def _line(what: str, found: Quantiles) -> str:
    count, half, most = found
    return f"      {what:34} {count:6} answers, p50 {half * 1000:7.1f} ms, p99 {most * 1000:7.1f} ms"
