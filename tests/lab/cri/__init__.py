"""The lab's own client of the Container Runtime Interface, with the calls that change things."""
