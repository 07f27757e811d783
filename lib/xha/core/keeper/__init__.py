"""The keeper of one node, as a pure state machine: machine.py says what it does, and in which order."""
