"""The checks: one module for each kind of service, with `check(settings, level) -> Result` (docs/services.md).

A module is imported once, in a parent without threads. check() runs in a child of its own, whose timer raises
adapters.process.alarm.Overdue in the main thread. It raises nothing else on purpose: a failure is a Result.
"""
