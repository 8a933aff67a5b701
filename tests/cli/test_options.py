from cli.running import run


def test_options_are_listed_in_one_order_everywhere() -> None:
    """Whoever knows one command knows the others."""
    for command in ("scan", "agent"):
        told = run(command, "--help").stdout
        listed = told[told.index("Options:") :]
        places = [listed.index(name) for name in ("--set", "--runtime-endpoint", "--node-name", "--settings")]

        assert places == sorted(places)
