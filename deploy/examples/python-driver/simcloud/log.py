"""Logs as JSON, one object a line, on standard error: skepd reads level and message and carries them into its own log."""

import json
import logging


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.exc_info:
            message += ": " + self.formatException(record.exc_info)
        return json.dumps({"level": record.levelname, "message": message})


def to_stderr(level: int) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler])
