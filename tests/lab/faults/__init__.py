"""Every fault that the laboratory knows, by name. Each is a function or two and a line in a table."""

from lab.faults.crashes import CRASHES
from lab.faults.disks import DISKS
from lab.faults.fault import ACTIVE, Fault, Scene, nothing
from lab.faults.handovers import HANDOVERS
from lab.faults.orders import ORDERS
from lab.faults.outages import OUTAGES
from lab.faults.storage import STORAGE

FAULTS = {fault.name: fault for fault in (*CRASHES, *OUTAGES, *DISKS, *STORAGE, *ORDERS, *HANDOVERS)}

__all__ = ["ACTIVE", "FAULTS", "Fault", "Scene", "nothing"]
