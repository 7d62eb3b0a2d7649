"""The parent of a run: `python -I -S shim.py JSON PROGRAM ARGUMENT…`. Imports nothing of Taxiway; the runner starts it.

It adopts every orphan of the run (Linux's child subreaper), so that a process which called setsid, forked twice and
cleared its environment is still found below it. It keeps Taxiway's user, so repository code under another user cannot
end it; the program gets limits, the other user, and no way to gain rights. It ends when no child is left, with the
program's exit code. JSON: {"uid", "gid" or null, "limits": {name of RLIMIT: value}, "tell": a descriptor or null that
gets a byte when the program itself has ended, "environment": a descriptor that the program's variables are read from,
or null: it gets ours}. Who chooses the program's variables must not choose ours: LD_PRELOAD is code, and we may be
root.
"""

import ctypes
import json
import os
import resource
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38


def main(arguments: list[str]) -> int:
    """Runs the program and returns its exit code, 128 + n when signal n ended it."""
    settings = json.loads(arguments[0])
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        start(settings, arguments[1:], libc)
    if settings["environment"] is not None:
        os.close(settings["environment"])
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # the runner must see the end of the program's output
        os.dup2(null, descriptor)
    code = 1
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            return code
        if pid == child:
            ended = os.waitstatus_to_exitcode(status)
            code = ended if ended >= 0 else 128 - ended
            if settings["tell"] is not None:
                os.write(settings["tell"], b".")


def start(settings: dict[str, object], argv: list[str], libc: ctypes.CDLL) -> None:
    """Becomes the program; never returns."""
    try:
        limits = settings["limits"]
        if isinstance(limits, dict):
            for name, value in limits.items():
                kind = getattr(resource, name)
                hard = resource.getrlimit(kind)[1]
                wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
                resource.setrlimit(kind, (wanted, wanted))
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and the program would too
            signal.signal(number, signal.SIG_DFL)
        if isinstance(settings["tell"], int):
            os.set_inheritable(settings["tell"], False)
        environment = dict(os.environ)
        if isinstance(settings["environment"], int):
            with os.fdopen(settings["environment"], "rb") as file:
                environment = json.load(file)
        uid, gid = settings["uid"], settings["gid"]
        if isinstance(uid, int) and isinstance(gid, int):
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        os.execve(argv[0], argv, environment)  # noqa: S606  # an argument list without a shell
    except BaseException as error:
        os.write(2, f"The run could not be started: {error}\n".encode())
        os._exit(126)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
