"""Axes say what they try, and every cell of a grid comes once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.spaces import MOST_CELLS, Axis, Space, Value, cell_key, read_axis
from trading.errors import BadInput

GRID = Space((read_axis("fast=5:15:5"), read_axis("slow=20,60")))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("fast=5,10,20", (5, 10, 20)),
        ("fast=20,5,10", (5, 10, 20)),
        ("stop_loss=0.1,null,0.05", (None, Decimal("0.05"), Decimal("0.1"))),
        ("fast=5:20:5", (5, 10, 15, 20)),
        ("fast=5:19:5", (5, 10, 15)),
        ("fast=7", (7,)),
        ("stop_loss=0.03:0.05:0.01", (Decimal("0.03"), Decimal("0.04"), Decimal("0.05"))),
        ("volume_ratio=null,1.5", (None, Decimal("1.5"))),
        ("mode=slow,fast", ("slow", "fast")),
    ],
)
def test_an_axis_says_what_it_tries(text: str, values: tuple[Value, ...]) -> None:
    assert read_axis(text).values == values


@pytest.mark.parametrize(
    "text",
    [
        *(
            "fast",
            "fast=",
            "=5",
            "fast=5,,7",
            "fast=5:10",
            "fast=5:10:0",
            "fast=10:5:1",
            "fast=a:b:c",
        ),
        *("fast=5,5", "fast=1:100000000:1", "fast slow=5", "fast=5:10:1:1"),
    ],
)
def test_an_axis_that_cannot_be_meant_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read_axis(text)
    assert refusal.value.expected


def test_the_cells_of_a_grid_come_in_order_with_the_last_axis_fastest() -> None:
    assert [tuple(cell.values()) for cell in GRID.cells()] == [
        *((5, 20), (5, 60), (10, 20), (10, 60), (15, 20), (15, 60))
    ]
    assert len(GRID) == 6


def test_the_same_seed_chooses_the_same_cells_and_another_seed_others() -> None:
    large = Space((read_axis("fast=1:100:1"), read_axis("slow=101:300:1")))
    chosen = [cell_key(cell) for cell in large.cells(50, seed=1)]
    assert chosen == [cell_key(cell) for cell in large.cells(50, seed=1)]
    assert len(set(chosen)) == 50
    assert chosen != [cell_key(cell) for cell in large.cells(50, seed=2)]


def test_more_random_cells_than_there_are_is_the_grid() -> None:
    assert [*GRID.cells(100)] == [*GRID.cells()]


def test_a_grid_beyond_reason_is_refused_but_can_be_sampled() -> None:
    huge = Space((read_axis("a=1:1000:1"), read_axis("b=1:1000:1")))
    with pytest.raises(BadInput, match=str(MOST_CELLS)):
        huge.cells()
    assert len(list(huge.cells(10))) == 10


@pytest.mark.parametrize("count", [0, -1])
def test_no_cell_at_all_is_refused(count: int) -> None:
    with pytest.raises(BadInput, match="random"):
        GRID.cells(count)


def test_a_parameter_on_two_axes_is_refused() -> None:
    with pytest.raises(BadInput, match="fast, fast"):
        Space((read_axis("fast=1"), read_axis("fast=2")))


def test_equal_cells_have_one_key_however_they_are_written() -> None:
    one = cell_key({"stop_loss": Decimal("0.10"), "fast": 5})
    assert one == cell_key({"fast": 5, "stop_loss": Decimal("0.1")})
    assert cell_key({"fast": Decimal("5.0")}) == cell_key({"fast": 5})
    assert cell_key({"fast": None}) != cell_key({"fast": 0})


def test_neighbours_are_one_step_away_on_one_axis() -> None:
    def near(fast: int, slow: int) -> list[tuple[Value, ...]]:
        return sorted(tuple(c.values()) for c in GRID.neighbours({"fast": fast, "slow": slow}))

    assert near(5, 20) == [(5, 60), (10, 20)]
    assert near(10, 60) == [(5, 60), (10, 20), (15, 60)]


@given(
    st.lists(st.integers(min_value=1, max_value=5), min_size=1, max_size=4),
    st.integers(min_value=1, max_value=700),
    st.integers(),
)
def test_random_cells_are_different_and_of_the_grid(
    sizes: list[int], count: int, seed: int
) -> None:
    space = Space(tuple(Axis(f"p{n}", tuple(range(size))) for n, size in enumerate(sizes)))
    keys = [cell_key(cell) for cell in space.cells(count, seed=seed)]
    assert len(keys) == len(set(keys)) == min(count, len(space))
    assert set(keys) <= {cell_key(cell) for cell in space.cells()}
    assert all(space.cell_of(cell) == cell for cell in space.cells())  # type: ignore[arg-type]  # whole numbers are written as they are
