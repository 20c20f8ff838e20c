"""`panda-ioc` that tells of itself on SIGUSR1: asyncio tasks and objects, one line in its log."""

import asyncio
import gc
import signal
import sys
from types import FrameType

from panda_ioc.cli import main


def tell(_number: int, _frame: FrameType | None) -> None:
    """Runs between two bytecodes of the main thread, so within its event loop."""
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:
        return  # not running yet
    gc.collect()
    sys.stderr.write(f"SOAK tasks={tasks} objects={len(gc.get_objects())}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, tell)
    sys.exit(main())
