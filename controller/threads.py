"""Blocking work beside the event loop, one thread a kind so that writers need no lock."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Thread:
    """One thread; ``await thread(work, *args)`` runs ``work`` after what was asked before."""

    def __init__(self, name: str) -> None:
        self.executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def __call__(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``work`` returns; raise what it raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, partial(work, *args, **kwargs))

    def end(self) -> None:
        """Wait for the last work and end the thread."""
        self.executor.shutdown()
