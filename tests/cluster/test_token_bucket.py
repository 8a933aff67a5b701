from pausewatch.cluster.token_bucket import TokenBucket, full


def take(bucket: TokenBucket, times: int, now: float) -> TokenBucket:
    """Return the bucket after so many tokens were taken at once."""
    for _ in range(times):
        assert bucket.wait_seconds(now) == 0
        bucket = bucket.take(now)
    return bucket


def test_burst_then_a_steady_pace() -> None:
    """Each token that comes is there for the taking."""
    empty = take(full(3, 10, now=100), 3, now=100)

    assert empty.wait_seconds(100) == 10
    assert empty.wait_seconds(104) == 6
    assert take(empty, 1, now=110).wait_seconds(110) == 10


def test_bucket_never_holds_more_than_a_burst() -> None:
    """However long nothing was taken."""
    rested = take(full(3, 10, now=100), 1, now=100)

    assert take(rested, 3, now=100_000).wait_seconds(100_000) == 10


def test_full_bucket_need_not_be_remembered() -> None:
    """It is as good as a new one."""
    bucket = full(3, 10, now=100)

    assert bucket.is_full(100)
    assert not bucket.take(100).is_full(109)
    assert bucket.take(100).is_full(110)
