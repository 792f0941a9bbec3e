"""Versions compare as numbers, and keep the text they came with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Invalid
from shared.domain.versions import Version

_numbers = st.tuples(*[st.integers(0, 10**18 - 1)] * 3)


def spelled(numbers: tuple[int, int, int], width: int = 0) -> str:
    return ".".join(f"{number:0{width}d}" for number in numbers)


@given(_numbers, _numbers)
def test_versions_are_ordered_like_their_numbers(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    first, second = Version.parse(spelled(one)), Version.parse(spelled(other))
    assert first.newer_than(second) == (one > other)
    assert (first.rank == second.rank) == (one == other)


@given(_numbers)
def test_leading_zeros_change_the_name_and_not_the_rank(numbers: tuple[int, int, int]) -> None:
    plain, padded = Version.parse(spelled(numbers)), Version.parse(spelled(numbers, width=18))
    assert not plain.newer_than(padded)
    assert not padded.newer_than(plain)
    assert (str(plain), str(padded)) == (spelled(numbers), spelled(numbers, width=18))


def test_a_version_is_newer_than_none() -> None:
    assert Version.parse("0.0.0").newer_than(None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latest",
        "1.0",
        "1.0.0.0",
        "1.0.x",
        "-1.0.0",
        "1.0.0 ",
        " 1.0.0",
        "1.0.0\n",
        "1..0",
        "1.0.1e3",
        "１.0.0",
    ],
)
def test_anything_but_three_decimal_numbers_is_no_version(text: str) -> None:
    with pytest.raises(Invalid, match="expected three numbers such as"):
        Version.parse(text)


def test_a_monstrous_number_is_refused_before_it_is_read() -> None:
    with pytest.raises(Invalid):
        Version.parse(f"{'9' * 1_000_000}.0.0")


def test_a_rank_has_one_name_that_a_gallery_may_know() -> None:
    """Any other name of it would be taken for the same version, and is none."""
    assert Version.parse("1.0.2147483647").canonical
    assert not any(Version.parse(text).canonical for text in ("01.0.0", "1.00.0", "1.0.2147483648"))
