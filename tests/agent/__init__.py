"""The agent as Pacemaker, pcs, crmsh and an operator call it."""
