"""What every driver program does, whatever it drives.

socket, for its user alone -> "serving unix:PATH" -> serve -> SIGTERM, SIGINT or the end of its input -> end
"""

import os
import signal
import socket
import stat
import threading
from concurrent import futures
from pathlib import Path

import grpc

from skep.driver.v1 import driver_pb2_grpc

# Describe has to be answered at once, however many calls wait for the cloud: more threads than calls in flight.
THREADS = 32
# For calls under way, after we were told to end. skepd kills what takes longer than ten seconds.
LAST_CALLS_SECONDS = 5


def serve(servicer: driver_pb2_grpc.DriverServicer, path: str) -> None:
    """Comes back when the program has to end."""
    told = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: told.set())
    end_with_input(told)

    take_place_of_one_that_is_gone(path)
    server = grpc.server(futures.ThreadPoolExecutor(THREADS))
    driver_pb2_grpc.add_DriverServicer_to_server(servicer, server)
    before = os.umask(0o177)
    server.add_insecure_port(f"unix:{path}")
    server.start()
    os.umask(before)
    print(f"serving unix:{path}", flush=True)

    told.wait()
    server.stop(LAST_CALLS_SECONDS).wait()
    Path(path).unlink(missing_ok=True)


def end_with_input(told: threading.Event) -> None:
    """A pipe is held by whoever started us. A terminal or /dev/null holds nobody."""
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return

    def read_to_the_end() -> None:
        while os.read(0, 64):
            pass
        told.set()

    threading.Thread(target=read_to_the_end, daemon=True).start()


def take_place_of_one_that_is_gone(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            Path(path).unlink(missing_ok=True)
            return
    raise SystemExit(f"somebody already serves {path}")
