from support.image_environment import image_variables


def test_environment_of_the_image() -> None:
    """One pool of memory for all threads, and none of the stages that only build."""
    variables = image_variables()

    assert variables["MALLOC_ARENA_MAX"] == "1"
    assert not any(name.startswith(("PATH", "PIP")) for name in variables)
