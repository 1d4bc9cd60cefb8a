"""The processes of a run that is started with a mark in its environment, which all of them inherit."""
import os
import pathlib
import signal

MARK = "AUTODIDACT_RUN_MARK"


def run_environment(mark):
    return os.environ | {MARK: mark, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def processes_of(mark):
    """pid: its arguments, of all processes of a run."""
    wanted = f"{MARK}={mark}".encode()
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if wanted not in (entry / "environ").read_bytes().split(b"\0"):
                continue
            arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if arguments[0]:  # a zombie has none
            found[int(entry.name)] = arguments
    return found


def end_all(mark):
    """Ends whatever is left of a run; how many there were."""
    left = processes_of(mark)
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return len(left)
