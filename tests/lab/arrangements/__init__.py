"""Other clusters than the document's: more hosts, several clusters, settings from the field. `make lab-arrangements`.

Each begins with what the one before it in the same laboratory left: a healthy cluster.
"""

from lab.arrangements.arrangement import Arrangement, run_arrangements
from lab.arrangements.field import FIELD
from lab.arrangements.five import FIVE
from lab.arrangements.pair import PAIR

ARRANGEMENTS = {one.name: one for one in (*FIELD, *FIVE, *PAIR)}

__all__ = ["ARRANGEMENTS", "Arrangement", "run_arrangements"]
