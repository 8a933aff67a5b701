"""What a scan costs, beside the programs that people use today: ``make bench``."""
