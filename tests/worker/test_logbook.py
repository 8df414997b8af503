"""Log entries on their way to the control plane."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from casemate.jobs import LogLine, Metric
from casemate.masking import Mask
from casemate.secret import Secret
from casemate.worker.logbook import BATCH_LINES, LONGEST, LogBook, pieces

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Sent:
    """A receiver that keeps batches."""

    def __init__(self) -> None:
        self.batches: list[tuple[LogLine, ...]] = []
        self.metrics: list[Metric] = []
        self.news = anyio.Event()

    async def __call__(self, lines: tuple[LogLine, ...], metrics: tuple[Metric, ...]) -> None:
        self.batches.append(lines)
        self.metrics.extend(metrics)
        self.news.set()


@pytest.mark.parametrize("length", [0, 1, LONGEST, LONGEST + 1, 3 * LONGEST + 5])
def test_a_long_message_becomes_several_a_millisecond_apart(length):
    lines = list(pieces(LogLine(at=NOW, level="INFO", message="x" * length)))
    assert "".join(line.message for line in lines) == "x" * length
    assert max(len(line.message) for line in lines) <= LONGEST
    assert [line.at for line in lines] == [NOW + timedelta(milliseconds=n) for n in range(len(lines))]


async def test_entries_below_the_level_of_the_task_are_dropped():
    book = LogBook(Sent(), Mask())
    book.keep_from("warn")
    for level in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR"):
        book.write(level, level)
    assert [line.message for line in book.take()[0]] == ["WARN", "ERROR"]


async def test_secrets_are_masked_before_the_message_is_cut():
    book = LogBook(Sent(), Mask([Secret("hunter2secret")]))
    book.write("INFO", "x" * (LONGEST - 5) + "hunter2secret")
    assert "hunter" not in "".join(line.message for line in book.take()[0])


async def test_names_and_tags_of_metrics_are_masked():
    book = LogBook(Sent(), Mask([Secret("hunter2")]))
    book.measure(Metric(name="n.hunter2", kind="counter", value=1, tags={"k": "hunter2", "hunter2": ""}))
    (metric,) = book.take()[1]
    assert (metric.name, metric.tags) == ("n.********", {"k": "********", "********": ""})


async def test_a_flood_is_sent_in_batches_and_not_kept():
    sent = Sent()
    book = LogBook(sent, Mask())
    for number in range(10 * BATCH_LINES):
        book.write("INFO", str(number))
        await book.pace()
    assert [len(batch) for batch in sent.batches] == [BATCH_LINES] * 10
    assert book.take() == ((), ())


async def test_few_long_lines_are_a_batch_too():
    sent = Sent()
    book = LogBook(sent, Mask())
    book.write("INFO", "x" * (1 << 18))
    await book.pace()
    assert len(sent.batches) == 1


async def test_a_quiet_job_is_sent_after_a_moment():
    sent = Sent()
    book = LogBook(sent, Mask())
    async with anyio.create_task_group() as group:
        group.start_soon(book.keep_flushing)
        book.write("INFO", "hello")
        with anyio.fail_after(5):
            await sent.news.wait()
        group.cancel_scope.cancel()
    assert [line.message for line in sent.batches[0]] == ["hello"]


async def test_after_settling_the_rest_is_left_for_the_end():
    sent = Sent()
    book = LogBook(sent, Mask())
    await book.settle()
    book.write("INFO", "last")
    await book.flush()
    assert sent.batches == []
    assert [line.message for line in book.take()[0]] == ["last"]
