"""What travels to a zygote: all of an order arrives, whatever was ordered before it."""

from dataclasses import replace

from casemate.sandbox.orders import Order, order, ordered, own

ONE = Order(id=1, kind="body", work="one", uid=7, limits={"memory": 1 << 20, "cpu": None})


def arrived(message: bytes) -> Order:
    first, _, second = message.partition(b"\n")
    return replace(order(second), id=own(first).id, work=ONE.work, uid=own(first).uid)


def test_an_order_arrives_as_it_was_given():
    for given in (
        ONE,
        replace(ONE, id=2, uid=8),
        replace(ONE, threads=True),
        replace(ONE, listened=("connect", "bind")),
        replace(ONE, grouped=("memory", "pids")),
        replace(ONE, grouped=("memory", "pids"), doors=1),
        replace(ONE, limits={"memory": 2 << 20, "cpu": None}),
        replace(ONE, limits={"memory": 1 << 20, "cpu": 0.5}),
        ONE,
    ):
        assert arrived(ordered(given)) == given
