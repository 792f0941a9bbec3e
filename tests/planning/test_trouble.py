"""A look that failed comes back alone, and not for ever."""

from datetime import timedelta

from shared.domain.errors import RetryableError, Throttled
from shared.domain.looks import Lane, Look, Thing, Trouble
from shared.planning.looks import LONGEST_DELAY, Again, GiveUp, after_error

from .cases import MINUTE, NOW

LOOK = Look(Lane.BUILDS, Thing.IMAGE, "ubuntu", "correlation")
DAY = timedelta(hours=24)
ERROR = RetryableError("not now")


def test_while_a_failed_look_is_on_its_way_no_further_one_is_sent() -> None:
    """The sweep comes round every few minutes: it must not add a look each time."""
    known = Trouble(NOW - MINUTE, NOW + MINUTE, "not now")
    assert after_error(LOOK, ERROR, DAY, NOW, known) is None


def test_a_retry_that_was_lost_is_taken_over_with_its_history() -> None:
    """It was due and did not come: whichever look fails next goes on in its place."""
    known = Trouble(NOW - 60 * MINUTE, NOW - MINUTE, "not now")
    again = after_error(LOOK, ERROR, DAY, NOW, known)
    assert isinstance(again, Again)
    assert again.look.first == known.since


def test_patience_counts_from_the_first_failure_of_all() -> None:
    """However many looks have been failing since."""
    known = Trouble(NOW - DAY, NOW - MINUTE, "not now")
    assert isinstance(after_error(LOOK, ERROR, DAY, NOW, known), GiveUp)


def test_the_service_says_when_else_a_back_off_does() -> None:
    """Retry-After is obeyed, and no back-off is longer than a quarter of an hour."""
    asked = after_error(LOOK, Throttled("busy", timedelta(seconds=77)), DAY, NOW)
    assert isinstance(asked, Again)
    assert asked.delay == timedelta(seconds=77)
    look, delays = LOOK, list[timedelta]()
    for _ in range(20):
        again = after_error(look, ERROR, DAY, NOW)
        assert isinstance(again, Again)
        look, delays = again.look, [*delays, again.delay]
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY
