"""``python -m pausewatch``: the same program as the console script."""

from pausewatch.cli.main import main

if __name__ == "__main__":
    main()
