"""What servers tell of."""

from __future__ import annotations

import logging

_LOGGER = logging.getLogger("undergo.serve")


def log(error: Exception) -> None:
    """Log a request that has failed."""
    _LOGGER.error("a request failed: %s", error)
