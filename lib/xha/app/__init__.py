"""Use cases: the reading of a node, the actions of an agent, the checks, the responder. No argv, no exit code."""
