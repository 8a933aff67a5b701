"""Random and damaged input for everything that reads what others wrote: the runtime's answers, and files below /proc.

Whatever stands there, a reader returns a value or raises the one error that it declares; the value is bounded by its
input, and no text in it can move a cursor. `test_fuzz.py` tries some input in every run of the unit tests, always the
same; `make fuzz` tries new input for as long as one likes. What was found is kept in `corpus/` and tried for ever.
"""
