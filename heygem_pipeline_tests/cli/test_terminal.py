import os
import signal
from threading import Timer

from heygem_pipeline.cli.terminal import interruption


def test_an_interrupt_ends_the_wait_and_nothing_else() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruption() as interrupted:
        assert not interrupted.wait(0.01)
        Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        assert interrupted.wait(60)
        assert interrupted.wait(60)
    assert signal.getsignal(signal.SIGINT) is before
