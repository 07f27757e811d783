"""The causes of an error of a library: pika, requests and urllib3 wrap what the socket said, each in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes: libraries put causes into arguments, lists and the usual attributes."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting and len(seen) < 30:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        own = [*getattr(one, "exceptions", ()), getattr(one, "exception", None)]
        more = [*one.args, *own, one.__cause__, one.__context__]
        waiting += [each for each in more if isinstance(each, BaseException)]
