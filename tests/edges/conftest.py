from __future__ import annotations

from properties import load_profile

load_profile()
