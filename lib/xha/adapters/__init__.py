"""Each file wraps one library, daemon or kernel interface.

Adapters import xha.core, other adapters and what they wrap.
"""
