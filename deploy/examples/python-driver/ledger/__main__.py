"""`skep-driver-ledger --socket PATH`: what skepd starts, once for each account."""

import argparse
import logging

from ledger import log, program
from ledger.service import LedgerService


def main() -> int:
    arguments = argparse.ArgumentParser(prog="skep-driver-ledger", description=__doc__)
    arguments.add_argument("--socket", required=True, help="the Unix socket to serve on")
    socket = arguments.parse_args().socket
    log.to_stderr(logging.INFO)
    program.serve(LedgerService(), socket)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
