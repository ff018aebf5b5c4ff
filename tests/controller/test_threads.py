import threading

import pytest

from controller.threads import Thread


async def test_work_is_done_in_one_named_thread_in_order() -> None:
    thread = Thread("records")
    done: list[tuple[str, int]] = []

    def work(number: int, *, twice: bool = False) -> int:
        done.append((threading.current_thread().name, number))
        return number * (2 if twice else 1)

    assert await thread(work, 1) == 1
    assert await thread(work, 2, twice=True) == 4
    thread.end()
    assert done == [("records_0", 1), ("records_0", 2)]


async def test_an_error_comes_back() -> None:
    thread = Thread("records")

    def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await thread(work)
    thread.end()
