"""This is the proof that cached bars are those of the database, whoever changed it and however."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psycopg
import pytest

from adapters.bar_cache import CachedBars, Series, open_bars
from adapters.postgres import PostgresStores
from tests.builders import A_DAY, HYUNDAI, LG_CHEM, SAMSUNG, seoul
from tests.store_samples import a_bar
from trading.bars import Bar, Interval
from trading.instruments import Symbol

DAYS = [A_DAY + timedelta(days=n) for n in range(40)]


def bars_of(symbol: Symbol, days: Iterable[date] = DAYS, **changes: object) -> list[Bar]:
    """Give a bar for each day, each with a close of its own."""
    return [
        a_bar(
            day,
            symbol=symbol,
            at=seoul(day, "00:00"),
            **{"close": 370_000 + 500 * (day - A_DAY).days, "high": 400_000, "low": 300_000}
            | changes,
        )
        for day in days
    ]


@dataclass
class Watched:
    """Series that tell which of them were read."""

    series: Series
    seen: list[Symbol] = field(default_factory=list)

    def versions(self, interval: Interval) -> Mapping[Symbol, str]:
        """Ask the database."""
        return self.series.versions(interval)

    def read(
        self, symbols: Iterable[Symbol], interval: Interval
    ) -> Mapping[Symbol, npt.NDArray[np.int64]]:
        """Ask the database, and remember what for."""
        asked = list(symbols)
        self.seen += asked
        return self.series.read(asked, interval)


def put(stores: PostgresStores, *bars: Bar) -> None:
    """Write bars as ingestion does."""
    with stores.begin() as work:
        work.bars.upsert(bars)


def opened(stores: PostgresStores, folder: Path) -> tuple[CachedBars, list[Symbol]]:
    """Open the cache; tell which series were read from the database for it."""
    with stores.series() as series:
        watched = Watched(series)
        return open_bars(folder, watched), watched.seen


def closes(cached: CachedBars, symbol: Symbol) -> list[int]:
    """Give the closes of one symbol."""
    close: list[int] = cached[symbol][4].tolist()
    return close


def cached_closes(cached: CachedBars, symbol: Symbol) -> list[int]:
    """Give the closes of one symbol, none of one that is not there."""
    return closes(cached, symbol) if symbol in cached.symbols else []


def stored_closes(stores: PostgresStores, symbol: Symbol) -> list[int]:
    """Give the closes that the database has of one symbol."""
    with stores.begin() as work:
        bars = work.bars.between(symbol, Interval.DAY, first=date(2000, 1, 1), last=DAYS[-1])
    return [bar.close for bar in bars]


@pytest.fixture
def two(stores: PostgresStores) -> PostgresStores:
    """A database with two symbols."""
    put(stores, *bars_of(LG_CHEM), *bars_of(SAMSUNG, DAYS[:10]))
    return stores


def test_cached_bars_are_those_of_the_database(two: PostgresStores, tmp_path: Path) -> None:
    cached, read = opened(two, tmp_path)

    assert cached.symbols == (SAMSUNG, LG_CHEM)
    assert read == [SAMSUNG, LG_CHEM]
    with two.begin() as work:
        for symbol in cached.symbols:
            bars = work.bars.between(symbol, Interval.DAY, first=DAYS[0], last=DAYS[-1])
            rows = [
                [b.trading_day.toordinal(), b.open, b.high, b.low, b.close, b.volume] for b in bars
            ]
            assert cached[symbol].T.tolist() == rows


def test_without_a_change_nothing_is_read_again(two: PostgresStores, tmp_path: Path) -> None:
    first, _ = opened(two, tmp_path)
    put(two, *bars_of(LG_CHEM))  # the same bars once more
    second, read = opened(two, tmp_path)

    assert read == []
    assert (second.bars == first.bars).all()


def test_one_changed_bar_is_seen_and_only_its_series_is_read(
    two: PostgresStores, tmp_path: Path
) -> None:
    before, _ = opened(two, tmp_path)
    put(two, *bars_of(LG_CHEM, DAYS[3:4], close=399_000))
    cached, read = opened(two, tmp_path)

    assert read == [LG_CHEM]
    assert closes(cached, LG_CHEM)[3] == 399_000
    assert closes(before, LG_CHEM)[3] == 371_500  # who has it open keeps what was
    assert closes(cached, SAMSUNG) == closes(before, SAMSUNG)
    assert len(list((tmp_path / "1d").glob("*.bars"))) == 1


def test_a_new_day_and_a_new_symbol_are_seen(two: PostgresStores, tmp_path: Path) -> None:
    opened(two, tmp_path)
    put(two, *bars_of(SAMSUNG, DAYS[10:11]), *bars_of(HYUNDAI, DAYS[:2]))
    cached, read = opened(two, tmp_path)

    assert read == [HYUNDAI, SAMSUNG]
    assert cached.symbols == (HYUNDAI, SAMSUNG, LG_CHEM)
    assert len(closes(cached, SAMSUNG)) == 11


BY_HAND = {
    "UPDATE market_bars SET close = 390000 WHERE symbol = '051910'": ([LG_CHEM], 40),
    "DELETE FROM market_bars WHERE symbol = '051910' AND trading_day > '2018-01-20'": (
        [LG_CHEM],
        5,
    ),
    "UPDATE market_bars SET symbol = '051910' WHERE symbol = '005930' AND false": ([], 40),
    "UPDATE market_bars SET volume = 0 WHERE symbol = '051910' AND trading_day = '2018-01-17'": (
        [LG_CHEM],
        39,
    ),
}


@pytest.mark.parametrize("statement", BY_HAND)
def test_what_somebody_changes_by_sql_is_seen(
    two: PostgresStores, postgres_url: str, tmp_path: Path, statement: str
) -> None:
    opened(two, tmp_path)
    with psycopg.connect(postgres_url) as connection:
        connection.execute(statement.encode())
    cached, read = opened(two, tmp_path)

    expected, count = BY_HAND[statement]
    assert read == expected
    assert len(closes(cached, LG_CHEM)) == count


STRAIGHT = {
    "UPDATE market_bars_2018_01 SET close = 390000 WHERE symbol = '051910'": [LG_CHEM],
    "DELETE FROM market_bars_2018_01 WHERE symbol = '051910'": [LG_CHEM],
    "INSERT INTO market_bars_2018_02 SELECT channel, '005380', \"interval\", at, source, trading_day, open, high,"
    " low, close, volume, value, is_provisional, is_adjusted FROM market_bars_2018_02": [HYUNDAI],
    "TRUNCATE market_bars_2018_02": [SAMSUNG, LG_CHEM],
    "DROP TABLE market_bars_2018_02": [SAMSUNG, LG_CHEM],
    "CREATE TABLE elsewhere (LIKE market_bars INCLUDING ALL);"
    "INSERT INTO elsewhere SELECT channel, symbol, \"interval\", at - interval '1 year', source, trading_day - 365,"
    " open, high, low, close, volume, value, is_provisional, is_adjusted"
    " FROM market_bars WHERE symbol = '051910' AND at < '2018-01-31';"
    "ALTER TABLE market_bars ATTACH PARTITION elsewhere FOR VALUES FROM ('2017-01-01 00:00+00')"
    " TO ('2017-02-01 00:00+00')": [LG_CHEM],
}
"""What is read again after a statement that names one month's table instead of `market_bars`."""


@pytest.mark.parametrize("statement", STRAIGHT)
def test_what_somebody_does_to_one_partition_is_seen(
    two: PostgresStores, postgres_url: str, tmp_path: Path, statement: str
) -> None:
    opened(two, tmp_path)
    with psycopg.connect(postgres_url) as connection:
        connection.execute(statement.encode())
    cached, read = opened(two, tmp_path)

    assert read == STRAIGHT[statement]
    for symbol in (HYUNDAI, SAMSUNG, LG_CHEM):
        assert cached_closes(cached, symbol) == stored_closes(two, symbol)
    assert opened(two, tmp_path)[1] == []
    with psycopg.connect(postgres_url) as connection:
        connection.execute("DROP TABLE IF EXISTS elsewhere")


UNSEEN = {
    "a replica": ("SET session_replication_role = replica", "RESET session_replication_role"),
    "off": ("ALTER TABLE {} DISABLE TRIGGER ALL", ""),
    "off and on": ("ALTER TABLE {} DISABLE TRIGGER ALL", "ALTER TABLE {} ENABLE TRIGGER ALL"),
    "gone": ("DROP TRIGGER bars_changed ON {0}; DROP TRIGGER bars_went ON {0}", ""),
}
"""How triggers can be kept from firing, and what may come after the change."""


@pytest.mark.parametrize("way", UNSEEN)
@pytest.mark.parametrize("table", ["market_bars", "market_bars_2018_02"])
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET close = 380000", "DELETE FROM {} WHERE symbol = '051910'"]
)
def test_what_is_written_past_the_triggers_is_seen(
    two: PostgresStores, postgres_url: str, tmp_path: Path, *, way: str, table: str, change: str
) -> None:
    opened(two, tmp_path)
    before, after = UNSEEN[way]
    with psycopg.connect(postgres_url) as connection:
        for statement in (before, change, after):
            connection.execute(statement.format(table).encode())
    cached, _ = opened(two, tmp_path)
    for symbol in (SAMSUNG, LG_CHEM):
        assert cached_closes(cached, symbol) == stored_closes(two, symbol)
    assert opened(two, tmp_path)[1] == []


def test_a_partition_that_is_detached_changed_and_attached_again_is_seen(
    two: PostgresStores, postgres_url: str, tmp_path: Path
) -> None:
    opened(two, tmp_path)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("ALTER TABLE market_bars DETACH PARTITION market_bars_2018_02")
        connection.commit()
        assert cached_closes(opened(two, tmp_path)[0], LG_CHEM) == stored_closes(two, LG_CHEM)
        connection.execute("UPDATE market_bars_2018_02 SET close = 380000")
        connection.execute(
            "ALTER TABLE market_bars ATTACH PARTITION market_bars_2018_02"
            " FOR VALUES FROM ('2018-02-01 00:00+00') TO ('2018-03-01 00:00+00')"
        )
    cached, _ = opened(two, tmp_path)
    assert cached_closes(cached, LG_CHEM) == stored_closes(two, LG_CHEM)
    assert cached_closes(cached, LG_CHEM)[-1] == 380_000


def test_a_series_that_went_is_gone(two: PostgresStores, postgres_url: str, tmp_path: Path) -> None:
    opened(two, tmp_path)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("TRUNCATE market_bars")
    cached, _ = opened(two, tmp_path)

    assert cached.symbols == ()
    assert cached.bars.shape == (6, 0)


def test_what_was_rolled_back_changes_nothing(
    two: PostgresStores, postgres_url: str, tmp_path: Path
) -> None:
    opened(two, tmp_path)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE market_bars SET close = 390000")
        connection.rollback()
    _, read = opened(two, tmp_path)
    assert read == []


def test_final_bars_count_before_provisional_ones_and_halted_days_are_left_out(
    stores: PostgresStores, tmp_path: Path
) -> None:
    put(stores, *bars_of(LG_CHEM, DAYS[:2], is_provisional=True, source="minutes", close=1_000))
    put(stores, *bars_of(LG_CHEM, DAYS[:1]), *bars_of(LG_CHEM, DAYS[2:3], volume=0))
    cached, _ = opened(stores, tmp_path)
    assert closes(cached, LG_CHEM) == [370_000, 1_000]


@pytest.mark.parametrize("harm", ["torn", "not json", "no file", "another shape", "another format"])
def test_a_damaged_cache_is_made_anew(two: PostgresStores, tmp_path: Path, harm: str) -> None:
    before, _ = opened(two, tmp_path)
    folder = tmp_path / "1d"
    (file,) = folder.glob("*.bars")
    index = folder / "index.json"
    match harm:
        case "torn":
            file.write_bytes(file.read_bytes()[:-8])
        case "not json":
            index.write_text("{", "utf-8")
        case "no file":
            file.unlink()
        case "another shape":
            index.write_text('{"format": 1, "file": "", "versions": [], "counts": null}', "utf-8")
        case _:
            index.write_text(
                index.read_text("utf-8").replace('"format": 1', '"format": 0'), "utf-8"
            )
    cached, read = opened(two, tmp_path)

    assert read == [SAMSUNG, LG_CHEM]
    assert closes(cached, LG_CHEM) == [370_000 + 500 * n for n in range(40)]
    assert cached.symbols == before.symbols


def test_writing_into_the_columns_spoils_nothing(two: PostgresStores, tmp_path: Path) -> None:
    opened(two, tmp_path)
    cached, _ = opened(two, tmp_path)
    cached[LG_CHEM][4, 0] = 1
    again, _ = opened(two, tmp_path)
    assert closes(again, LG_CHEM)[0] == 370_000


def test_without_a_place_to_write_the_bars_are_read_all_the_same(
    two: PostgresStores, tmp_path: Path
) -> None:
    kept, _ = opened(two, tmp_path / "home")
    (tmp_path / "file").touch()
    bars, read = opened(two, tmp_path / "file" / "below")  # as on a disk that takes nothing
    assert read == [SAMSUNG, LG_CHEM]
    assert bars.symbols == kept.symbols
    assert (bars.bars == kept.bars).all()
    assert closes(bars, LG_CHEM) == closes(kept, LG_CHEM)


def test_a_disk_that_is_full_keeps_what_was_there(
    two: PostgresStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(two, tmp_path)
    (file,) = (tmp_path / "1d").glob("*.bars")
    put(two, *bars_of(LG_CHEM, DAYS[3:4], close=399_000))

    def full(descriptor: int) -> None:
        raise OSError(28, f"no space left for {descriptor}")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        cached, _ = opened(two, tmp_path)
    assert closes(cached, LG_CHEM)[3] == 399_000
    assert list((tmp_path / "1d").glob("*.bars")) == [file]
    assert opened(two, tmp_path)[1] == [LG_CHEM]


def test_a_disk_that_is_full_before_the_index_leaves_nothing_behind(
    two: PostgresStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(two, tmp_path)
    kept = sorted((tmp_path / "1d").iterdir())
    put(two, *bars_of(LG_CHEM, DAYS[3:4], close=399_000))

    def full(path: Path, target: Path) -> Path:
        raise OSError(28, f"no space left for {path} as {target}")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        cached, _ = opened(two, tmp_path)
    assert closes(cached, LG_CHEM)[3] == 399_000
    assert sorted((tmp_path / "1d").iterdir()) == kept
