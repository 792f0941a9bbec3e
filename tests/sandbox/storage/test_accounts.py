"""Accounts come and go, and what is behind them is never shared."""

import pytest

from sandbox.storage.accounts import Accounts
from sandbox.storage.ranges import merged


def test_a_known_account_keeps_its_name_and_the_others_borrow_one() -> None:
    accounts = Accounts(["archive"], pool=1)
    assert accounts.open("archive") == "archive"
    assert accounts.open("xyz123") == accounts.open("xyz123") == "pool0000"
    assert sorted(accounts) == ["archive", "xyz123"]
    assert accounts.every_physical == ("archive", "pool0000")


def test_an_account_that_went_is_unknown_at_once_and_its_place_free_when_it_was_emptied() -> None:
    accounts = Accounts(pool=1)
    accounts.open("one")
    physical = accounts.close("one")
    assert accounts.physical("one") is None
    with pytest.raises(RuntimeError, match="Delete image templates"):
        accounts.open("two")
    assert physical is not None
    accounts.release(physical)
    assert accounts.open("two") == physical


def test_ranges_that_touch_are_listed_as_one() -> None:
    def page(start: int, end: int) -> bytes:
        return b"<PageRange><Start>%d</Start><End>%d</End></PageRange>" % (start, end)

    body = b"<PageList>%s</PageList>"
    split = body % (page(0, 511) + page(512, 1023) + page(2048, 2559))
    assert merged(split) == body % (page(0, 1023) + page(2048, 2559))
    assert merged(merged(split)) == merged(split)
    assert merged(b"<PageList/>") == b"<PageList/>"
