"""A file system that becomes read-only under those who have files open on it: `brittle_disk.py BACKING MOUNT SWITCH`.

Linux does that to a disk with errors, and refuses it to anybody who asks while a file is open for writing; with ext4
the way back is a new mount. So this is a file system of its own (FUSE, spoken here by hand) over the folder BACKING. It
is read-only, in every call that would change something, for as long as the file SWITCH is there. What programs wrote
into memory maps stays there, as it does in the kernel. One thread; needs root.
"""
# Paths are text here, as they come from the kernel.
# ruff: noqa: PTH101, PTH102, PTH104, PTH110, PTH115, PTH118, PTH208, PTH211

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
from collections.abc import Callable
from pathlib import Path

HEADER = struct.Struct("<IIQQIIII")
MAX_WRITE = 131_072
WRITE_CACHE = 1
BIG = 1 << 5 | 1 << 22
"""We take writes, and reads, of more than a page."""
KEPT_SECONDS = 5
"""How long the kernel may remember names and attributes: nobody else changes them."""
ROOT = 1
CHANGES = frozenset({4, 6, 8, 9, 10, 11, 12, 13, 21, 35, 43, 45})
"""Opcodes that change something whatever their arguments."""
SILENT = frozenset({2, 36, 42})
SETATTR = struct.Struct("<IIQQQQQQIIIIIIII")
CLEAN = os.O_ACCMODE | os.O_APPEND | os.O_TRUNC | os.O_EXCL


class Disk:
    """The file system: nodes by number, each a path below `backing`."""

    def __init__(self, backing: str, switch: str) -> None:
        self.backing, self.switch = backing, switch
        self.paths = {ROOT: backing}
        self.numbers = {backing: ROOT}
        self.caller = (0, 0)
        self.calls: dict[int, Callable[[int, bytes], bytes]] = {
            1: self.lookup,
            3: lambda node, body: self.attributes(os.lstat(self.paths[node])),
            4: self.setattr,
            5: lambda node, body: os.fsencode(os.readlink(self.paths[node])),
            6: self.symlink,
            8: self.mknod,
            9: self.mkdir,
            10: lambda node, body: self.nothing(os.unlink, self.child(node, body)),
            11: lambda node, body: self.nothing(os.rmdir, self.child(node, body)),
            12: lambda node, body: self.rename(node, body, 8),
            13: self.link,
            14: self.open,
            15: lambda node, body: os.pread(int.from_bytes(body[:8], "little"), *_span(body)),
            16: self.write,
            17: self.statfs,
            18: lambda node, body: self.nothing(os.close, int.from_bytes(body[:8], "little")),
            20: lambda node, body: self.nothing(os.fsync, int.from_bytes(body[:8], "little")),
            25: lambda node, body: b"",
            26: self.init,
            27: lambda node, body: struct.pack("<QII", 0, 0, 0),
            28: self.readdir,
            29: lambda node, body: b"",
            30: lambda node, body: b"",
            35: self.create,
            45: lambda node, body: self.rename(node, body, 16),
        }

    def serve(self, device: int) -> None:
        """Until the mount is gone."""
        while True:
            try:
                request = os.read(device, MAX_WRITE + 65_536)
            except InterruptedError:
                continue
            except OSError as error:
                if error.errno == errno.ENOENT:
                    continue
                return
            _, opcode, unique, node, uid, gid, _, _ = HEADER.unpack_from(request)
            if opcode in SILENT:
                continue
            self.caller = (uid, gid)
            code, answer = self.answer(opcode, node, request[HEADER.size :])
            try:
                os.write(device, struct.pack("<IiQ", 16 + len(answer), code, unique) + answer)
            except OSError as error:
                if error.errno != errno.ENOENT:
                    raise

    def answer(self, opcode: int, node: int, body: bytes) -> tuple[int, bytes]:
        call = self.calls.get(opcode)
        if call is None:
            return -errno.ENOSYS, b""
        if self.would_change(opcode, body) and os.path.exists(self.switch):
            return -errno.EROFS, b""
        try:
            return 0, call(node, body)
        except OSError as error:
            return -(error.errno or errno.EIO), b""
        except KeyError:
            return -errno.ESTALE, b""

    def would_change(self, opcode: int, body: bytes) -> bool:
        if opcode == 14:
            flags = int.from_bytes(body[:4], "little")
            return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_TRUNC))
        if opcode == 16:
            return not int.from_bytes(body[20:24], "little") & WRITE_CACHE
        return opcode in CHANGES

    def nothing(self, call: Callable[..., object], *arguments: object) -> bytes:
        call(*arguments)
        return b""

    def child(self, node: int, name: bytes) -> str:
        return os.path.join(self.paths[node], os.fsdecode(name.split(b"\0")[0]))

    def number(self, path: str) -> int:
        if path not in self.numbers:
            self.numbers[path] = max(self.paths) + 1
            self.paths[self.numbers[path]] = path
        return self.numbers[path]

    def entry(self, path: str) -> bytes:
        found = os.lstat(path)
        return struct.pack("<QQQQII", self.number(path), 0, KEPT_SECONDS, KEPT_SECONDS, 0, 0) + _attr(found)

    def attributes(self, found: os.stat_result) -> bytes:
        return struct.pack("<QII", KEPT_SECONDS, 0, 0) + _attr(found)

    def made(self, path: str) -> bytes:
        os.lchown(path, *self.caller)
        return self.entry(path)

    def init(self, node: int, body: bytes) -> bytes:
        major, _, ahead, _ = struct.unpack_from("<IIII", body)
        return struct.pack("<IIIIHHIIHHI28x", major, 31, ahead, BIG, 12, 9, MAX_WRITE, 1, 32, 0, 0)

    def lookup(self, node: int, body: bytes) -> bytes:
        return self.entry(self.child(node, body))

    def setattr(self, node: int, body: bytes) -> bytes:
        valid, _, handle, size, _, atime, mtime, _, a_nsec, m_nsec, _, mode, _, uid, gid, _ = SETATTR.unpack_from(body)
        path = self.paths[node]
        if valid & 8:
            os.truncate(handle if valid & 64 else path, size)
        if valid & 1:
            os.chmod(path, stat.S_IMODE(mode))
        if valid & 6:
            os.lchown(path, uid if valid & 2 else -1, gid if valid & 4 else -1)
        if valid & 48 and not valid & 384:
            now = os.lstat(path)
            times = (atime * 10**9 + a_nsec if valid & 16 else now.st_atime_ns, mtime * 10**9 + m_nsec)
            os.utime(path, ns=times if valid & 32 else (times[0], now.st_mtime_ns), follow_symlinks=False)
        found = os.fstat(handle) if valid & 64 else os.lstat(path)
        return self.attributes(found)

    def symlink(self, node: int, body: bytes) -> bytes:
        name, target, _ = body.split(b"\0")
        path = self.child(node, name)
        os.symlink(os.fsdecode(target), path)
        return self.made(path)

    def mknod(self, node: int, body: bytes) -> bytes:
        mode, device, umask, _ = struct.unpack_from("<IIII", body)
        path = self.child(node, body[16:])
        os.mknod(path, mode & ~umask, device)
        return self.made(path)

    def mkdir(self, node: int, body: bytes) -> bytes:
        mode, umask = struct.unpack_from("<II", body)
        path = self.child(node, body[8:])
        os.mkdir(path, mode & ~umask)
        return self.made(path)

    def rename(self, node: int, body: bytes, head: int) -> bytes:
        old, new, _ = body[head:].split(b"\0")
        source, target = self.child(node, old), self.child(int.from_bytes(body[:8], "little"), new)
        os.rename(source, target)
        self.numbers.pop(target, None)
        for path, number in list(self.numbers.items()):
            if path == source or path.startswith(source + "/"):
                moved = target + path[len(source) :]
                self.paths[number] = moved
                self.numbers[moved] = self.numbers.pop(path)
        return b""

    def link(self, node: int, body: bytes) -> bytes:
        path = self.child(node, body[8:])
        os.link(self.paths[int.from_bytes(body[:8], "little")], path)
        return self.entry(path)

    def open(self, node: int, body: bytes) -> bytes:
        flags = int.from_bytes(body[:4], "little")
        return struct.pack("<QII", os.open(self.paths[node], flags & CLEAN & ~os.O_APPEND), 0, 0)

    def create(self, node: int, body: bytes) -> bytes:
        flags, mode, umask, _ = struct.unpack_from("<IIII", body)
        path = self.child(node, body[16:])
        handle = os.open(path, flags & CLEAN & ~os.O_APPEND | os.O_CREAT, stat.S_IMODE(mode & ~umask))
        os.fchown(handle, *self.caller)
        self.numbers.pop(path, None)
        return self.entry(path) + struct.pack("<QII", handle, 0, 0)

    def write(self, node: int, body: bytes) -> bytes:
        handle, offset, size = struct.unpack_from("<QQI", body)
        return struct.pack("<II", os.pwrite(handle, body[40 : 40 + size], offset), 0)

    def statfs(self, node: int, body: bytes) -> bytes:
        found = os.statvfs(self.backing)
        sizes = (found.f_blocks, found.f_bfree, found.f_bavail, found.f_files, found.f_ffree)
        return struct.pack("<QQQQQIIII24x", *sizes, found.f_bsize, found.f_namemax, found.f_frsize, 0)

    def readdir(self, node: int, body: bytes) -> bytes:
        size, offset = _span(body)
        names, out = [b".", b"..", *sorted(os.fsencode(name) for name in os.listdir(self.paths[node]))], b""
        for position, name in enumerate(names[offset:], offset + 1):
            record = struct.pack("<QQII", position, position, len(name), 0) + name
            record += b"\0" * (-len(record) % 8)
            if len(out) + len(record) > size:
                break
            out += record
        return out


def _span(body: bytes) -> tuple[int, int]:
    """(size, offset) of a reading request."""
    _, offset, size = struct.unpack_from("<QQI", body)
    return size, offset


def _attr(found: os.stat_result) -> bytes:
    times = (found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns)
    return struct.pack(
        "<QQQQQQIIIIIIIIII",
        found.st_ino,
        found.st_size,
        found.st_blocks,
        *(time // 10**9 for time in times),
        *(time % 10**9 for time in times),
        found.st_mode,
        found.st_nlink,
        found.st_uid,
        found.st_gid,
        found.st_rdev,
        4096,
        0,
    )


def mount(at: str) -> int:
    """Mount it and return the device to serve. OSError when this machine does not let us."""
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
    if libc.mount(b"brittle", at.encode(), b"fuse", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return device


if __name__ == "__main__":
    try:
        served = mount(sys.argv[2])
    except OSError as failure:
        sys.exit(f"no file system of our own may be mounted here: {failure}")
    os.umask(0)
    Path(sys.argv[3] + ".ready").touch()
    Disk(sys.argv[1], sys.argv[3]).serve(served)
