"""This is who answers which call."""

from __future__ import annotations

from typing import Final

from adapters.kis_sim import (
    account_calls,
    chart_calls,
    index_calls,
    list_calls,
    order_calls,
    price_calls,
    profit_calls,
    reference_calls,
    reservation_calls,
    row_calls,
)
from adapters.kis_sim.replies import Answerer

BY_CALL: Final[dict[str, Answerer]] = {
    "order-cash": order_calls.order_cash,
    "order-rvsecncl": order_calls.order_rvsecncl,
    "order-resv": reservation_calls.order_resv,
    "order-resv-rvsecncl": reservation_calls.order_resv_rvsecncl,
    "order-resv-ccnl": reservation_calls.order_resv_ccnl,
    "inquire-daily-ccld": row_calls.daily_ccld,
    "inquire-psbl-rvsecncl": row_calls.psbl_rvsecncl,
    "inquire-balance": account_calls.balance,
    "inquire-balance-rlz-pl": account_calls.balance_rlz_pl,
    "inquire-account-balance": account_calls.account_balance,
    "inquire-psbl-order": account_calls.psbl_order,
    "inquire-psbl-sell": account_calls.psbl_sell,
    "intgr-margin": account_calls.intgr_margin,
    "inquire-period-profit": profit_calls.period_profit,
    "inquire-period-trade-profit": profit_calls.period_trade_profit,
    "inquire-price": price_calls.price,
    "inquire-price-2": price_calls.price_2,
    "inquire-asking-price-exp-ccn": price_calls.asking_price,
    "inquire-ccnl": price_calls.ccnl,
    "inquire-time-itemconclusion": price_calls.time_itemconclusion,
    "intstock-multprice": list_calls.multprice,
    "volume-rank": list_calls.volume_rank,
    "inquire-daily-price": chart_calls.daily_price,
    "inquire-daily-itemchartprice": chart_calls.daily_itemchartprice,
    "inquire-daily-indexchartprice": index_calls.daily_indexchartprice,
    "inquire-time-itemchartprice": chart_calls.time_itemchartprice,
    "inquire-time-dailychartprice": chart_calls.time_dailychartprice,
    "search-info": reference_calls.search_info,
    "search-stock-info": reference_calls.search_stock_info,
    "chk-holiday": reference_calls.chk_holiday,
    "inquire-vi-status": reference_calls.vi_status,
    "market-time": reference_calls.market_time,
}
