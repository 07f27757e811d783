"""A file system that stops answering, like NFS without its server: FUSE, by the kernel's own protocol.

Run as a program, it mounts itself on its argument, prints `ready`, and serves one empty file that can have any name,
and whose attributes must not be cached. A line on its standard input stops its answers. The end of its input ends the
file system, and so do two minutes: then nothing waits for it any longer, including processes of other tests.
"""

from __future__ import annotations

import ctypes
import os
import select
import struct
import sys

# include/uapi/linux/fuse.h
LOOKUP, FORGET, GETATTR, OPEN, RELEASE, FLUSH, INIT, OPENDIR, RELEASEDIR = 1, 2, 3, 14, 18, 25, 26, 27, 29
BATCH_FORGET, ENOSYS = 42, 38
HEADER, ANSWER = struct.Struct("<IIQQIIIHH"), struct.Struct("<IiQ")
ROOT, FILE, LONGEST = 1, 2, 120.0


def attributes(node: int) -> bytes:
    mode = 0o40755 if node == ROOT else 0o100644
    return struct.pack("<6Q10I", node, 0, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def reply(opcode: int, node: int) -> bytes | None:
    if opcode == INIT:
        return struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 12, 9, 65536, 1, 0, 0, 0)
    if opcode == LOOKUP:
        return struct.pack("<QQQQII", FILE, 0, 0, 0, 0, 0) + attributes(FILE)
    if opcode == GETATTR:
        return struct.pack("<QII", 0, 0, 0) + attributes(node)
    if opcode in (OPEN, OPENDIR):
        return struct.pack("<QII", 0, 0, 0)
    return b"" if opcode in (RELEASE, FLUSH, RELEASEDIR) else None


def serve(point: str) -> None:
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"stalled", os.fsencode(point), b"fuse", 0, options.encode()):
        raise OSError(ctypes.get_errno(), "mount")
    print("ready", flush=True)
    while sys.stdin not in select.select([device, sys.stdin], [], [])[0]:
        _, opcode, unique, node, *_ = HEADER.unpack_from(os.read(device, 1 << 17))
        if opcode not in (FORGET, BATCH_FORGET):
            said = reply(opcode, node)
            body = said or b""
            os.write(device, ANSWER.pack(ANSWER.size + len(body), -ENOSYS if said is None else 0, unique) + body)
    os.read(sys.stdin.fileno(), 1 << 16)
    select.select([sys.stdin], [], [], LONGEST)


if __name__ == "__main__":
    serve(sys.argv[1])
