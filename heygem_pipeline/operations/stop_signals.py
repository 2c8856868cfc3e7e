"""Ctrl-C and SIGTERM, remembered from the first moment."""

import signal
from types import FrameType


class StopSignals:
    """From now on SIGINT and SIGTERM are remembered instead of raised. Only for the main thread.

    A KeyboardInterrupt that is raised while modules are imported may be lost: an extension's import turns it into an
    ImportError, for which the importing package has a way round.
    """

    def __init__(self) -> None:
        self.received = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._remember)

    def _remember(self, _number: int, _frame: FrameType | None) -> None:
        self.received = True
