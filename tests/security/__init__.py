"""The attacks of docs/security.md with real accounts and real daemons: none of them may do harm.

The tests need root.
"""
