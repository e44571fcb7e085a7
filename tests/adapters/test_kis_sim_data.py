"""This is what the simulator makes of other data than the bundled: minutes, odd prices, wrong files."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.kis_sim.histories import read_history
from adapters.kis_sim.securities import isin
from tests.builders import A_DAY
from tests.sim_clients import a_desk, daily_file, minute_file
from trading.errors import BadInput

SAMSUNG, LG_CHEM, CELLTRION = "005930", "051910", "068270"


async def test_real_minutes_are_played_as_they_were(tmp_path: Path) -> None:
    rows = [
        (SAMSUNG, "2018-01-15 09:00", 50_000, 50_000, 50_000, 50_000, 1_000),
        (SAMSUNG, "2018-01-16 09:00", 50_100, 50_300, 50_000, 50_200, 400),
        (SAMSUNG, "2018-01-16 09:01", 50_200, 50_200, 49_900, 49_950, 100),
        (SAMSUNG, "2018-01-16 15:30", 50_500, 50_500, 50_500, 50_500, 900),
    ]
    async with a_desk(data=minute_file(tmp_path, rows)) as desk:
        await desk.to("16:00")
        body = await desk.quotation(
            "FHKST03010200",
            "inquire-time-itemchartprice",
            FID_INPUT_ISCD=SAMSUNG,
            FID_INPUT_HOUR_1="153000",
        )
        quote = await desk.quotation("FHKST01010100", "inquire-price", FID_INPUT_ISCD=SAMSUNG)
    names = ["stck_cntg_hour", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_prpr", "cntg_vol"]
    assert [[row[name] for name in names] for row in body["output2"]] == [
        ["153000", "50500", "50500", "50500", "50500", "900"],
        ["090100", "50200", "50200", "49900", "49950", "100"],
        ["090000", "50100", "50300", "50000", "50200", "400"],
    ]
    assert (quote["output"]["stck_oprc"], quote["output"]["stck_prpr"]) == ("50100", "50500")
    assert quote["output"]["acml_vol"] == "1400"


def test_minutes_labelled_with_their_end_are_moved_to_their_start(tmp_path: Path) -> None:
    rows = [
        (SAMSUNG, "2018-01-16 09:01", 100, 100, 100, 100, 1),
        (SAMSUNG, "2018-01-16 15:20", 100, 100, 100, 100, 1),
        (SAMSUNG, "2018-01-16 15:30", 100, 100, 100, 100, 1),
    ]
    history = read_history(minute_file(tmp_path, rows))
    labels = [f"{bar.at:%H:%M}" for bar in history.minutes[SAMSUNG, A_DAY]]
    assert labels == ["09:00", "15:19", "15:30"]


async def test_corners_off_the_grid_are_kept_as_they_are_given(tmp_path: Path) -> None:
    rows = [
        (SAMSUNG, "2018-01-15", 50_013, 50_113, 49_913, 50_033, 10_000),
        (SAMSUNG, "2018-01-16", 50_013, 50_413, 49_813, 50_133, 10_000),
    ]
    async with a_desk(data=daily_file(tmp_path, rows)) as desk:
        await desk.to("16:00")
        output = (await desk.quotation("FHKST01010100", "inquire-price", FID_INPUT_ISCD=SAMSUNG))[
            "output"
        ]
    corners = [output[name] for name in ("stck_oprc", "stck_hgpr", "stck_lwpr", "stck_prpr")]
    assert corners == ["50013", "50413", "49813", "50133"]
    assert output["stck_sdpr"] == "50033"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("symbol,date,open,high,low,close\n", "column 'volume' is missing"),
        ("date,open,high,low,close,volume\n", "column 'symbol' is missing"),
        ("symbol,open,high,low,close,volume\n", "column 'date' is missing"),
        ("", "column 'symbol' is missing"),
        ("symbol,date,open,high,low,close,volume\n", "at least one bar"),
        ("symbol,date,open,high,low,close,volume\n005930,16.1.2018,1,1,1,1,1\n", "line 2"),
        ("symbol,date,open,high,low,close,volume\n005930,2018-01-16,1,x,1,1,1\n", "column high"),
        ("symbol,date,open,high,low,close,volume\n005930,2018-01-16,1,-1,1,1,1\n", "column high"),
        ("symbol,date,open,high,low,close,volume\n5930,2018-01-16,1,1,1,1,1\n", "5930"),
    ],
)
def test_a_wrong_file_is_named_with_what_would_be_right(
    text: str, named: str, tmp_path: Path
) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=named):
        read_history(path)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(BadInput, match=r"nowhere\.csv"):
        read_history(Path("nowhere.csv"))


@pytest.mark.parametrize(
    ("symbol", "code"),
    [("005930", "KR7005930003"), ("051910", "KR7051910008"), ("068270", "KR7068270008")],
)
def test_standard_codes_have_the_right_check_digit(symbol: str, code: str) -> None:
    assert isin(symbol) == code
