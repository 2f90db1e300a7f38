"""`skep-driver-simcloud --socket PATH`: what skepd starts, once for each account."""

import argparse
import logging

from simcloud import log, program
from simcloud.service import SimcloudService


def main() -> int:
    arguments = argparse.ArgumentParser(prog="skep-driver-simcloud", description=__doc__)
    arguments.add_argument("--socket", required=True, help="the Unix socket to serve on")
    socket = arguments.parse_args().socket
    log.to_stderr(logging.INFO)
    program.serve(SimcloudService(), socket)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
