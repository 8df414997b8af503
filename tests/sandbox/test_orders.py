"""What travels to a zygote: all of an order arrives, whatever was ordered before it."""

import os
from dataclasses import replace

import pytest

from casemate.sandbox.orders import Order, order, ordered, own

ONE = Order(id=1, kind="body", work="one", uid=7, limits={"memory": 1 << 20, "cpu": None})


def arrived(message: bytes) -> Order:
    first, _, second = message.partition(b"\n")
    its = own(first)
    return replace(order(second), id=its.id, work=os.fsdecode(its.work), uid=its.uid)


def test_an_order_arrives_as_it_was_given():
    for given in (
        ONE,
        replace(ONE, id=2, uid=8),
        replace(ONE, work="another one/of two"),
        replace(ONE, work="no text \udcff"),
        replace(ONE, threads=True),
        replace(ONE, listened=("connect", "bind")),
        replace(ONE, grouped=("memory", "pids")),
        replace(ONE, doors=2),
        replace(ONE, limits={"memory": 2 << 20, "cpu": None}),
        replace(ONE, limits={"memory": 1 << 20, "cpu": 0.5}),
        ONE,
    ):
        assert arrived(ordered(given)) == given


def test_a_folder_whose_name_is_more_than_a_line_is_refused():
    with pytest.raises(ValueError, match="line break"):
        ordered(replace(ONE, work='one\n{"kind": "command"}'))
