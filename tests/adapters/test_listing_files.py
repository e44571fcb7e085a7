"""Listings come from a file as they are, or with a sentence that names the row."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from adapters.listing_files import read_listings
from tests.builders import LG_CHEM, SAMSUNG
from trading.errors import BadInput
from trading.instruments import Listing

HEAD = "symbol,listed_on,delisted_on"


def write(path: Path, *rows: str) -> Path:
    file = path / "listings.csv"
    file.write_text("\n".join(rows) + "\n", "utf-8-sig")
    return file


def test_an_empty_day_is_an_open_end(tmp_path: Path) -> None:
    rows = (
        "name,symbol,delisted_on,listed_on",
        "LG화학,051910,2018-01-19,",
        "삼성,005930,,1975-06-11",
    )
    assert read_listings(write(tmp_path, *rows)) == {
        LG_CHEM: Listing(None, date(2018, 1, 19)),
        SAMSUNG: Listing(date(1975, 6, 11), None),
    }


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (("symbol,listed_on", "051910,"), ("columns", "delisted_on")),
        ((HEAD, "51910,,"), ("row 2: symbol", "51910", "six characters")),
        ((HEAD, "051910,,", "051910,,2018-01-19"), ("row 3: symbol", "each symbol once")),
        ((HEAD, "051910,19.1.2018,"), ("row 2: listed_on", "19.1.2018", "YYYY-MM-DD")),
        ((HEAD, "051910,2018-01-19,2018-01-19"), ("row 2: delisted_on", "after 2018-01-19")),
        ((HEAD, "051910"), ()),
    ],
)
def test_what_is_wrong_is_named_with_its_row(
    tmp_path: Path, rows: tuple[str, ...], named: tuple[str, ...]
) -> None:
    file = write(tmp_path, *rows)
    if not named:
        assert read_listings(file) == {LG_CHEM: Listing()}
        return
    with pytest.raises(BadInput) as caught:
        read_listings(file)
    assert [word for word in ("listings.csv", *named) if word not in str(caught.value)] == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--listings"):
        read_listings(tmp_path / "listings.csv")
