"""One library, daemon or kernel interface per file. Adapters import xha.core and what they wrap."""
