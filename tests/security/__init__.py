"""Attacks of docs/security.md, done with real accounts and real daemons: each has to fail to do harm. As root."""
