"""The laboratory: three controllers on one machine, the network between them, and a client that counts its writes.

Everything that a laboratory owns is under one directory, ``/run/xha-lab/NAME``: a tmpfs with the hosts' disks, and the
bind mounts that keep their network namespaces. Removing it needs no record of how far an earlier run came: everything
under that directory, and every process in one of its network namespaces, belongs to the laboratory, and nothing else
does.

Read in this order: `place` (names and paths), `network`, `host`, `laboratory`, `document`, `faults`, `report`. Needs
root on Linux with systemd-nspawn and the packages listed in the file `packages` beside this one.
"""
