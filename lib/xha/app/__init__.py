"""Use cases: the reading of a node, the actions of an agent, the checks, the responder.

They use no argv and no exit code.
"""
