"""The laboratory: three controllers on one machine, the network between them, and a client that keeps count.

Everything a laboratory owns lives under one directory, ``/run/xha-lab/NAME``: a tmpfs with the hosts' disks, and the
bind mounts that keep their network namespaces. Taking it down needs no memory of how far an earlier run came: what is
under that directory, and every process in one of its network namespaces, is the laboratory's; nothing else is.

Read in this order: `place` (names and paths), `network`, `host`, `laboratory`, `document`, `faults`, `report`.
Needs root on Linux with systemd-nspawn and the packages listed in the file `packages` beside this one.
"""
