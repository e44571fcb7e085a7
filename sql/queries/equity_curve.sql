-- How did the account grow, day by day, deposits apart, and how far is it below its best?
-- A day's growth is (closing - paid in) / opening; growths multiply, so that deposits are never profit.
WITH days AS (
    SELECT trading_day, opening, closing, paid_in, closing - opening - paid_in AS profit,
           CASE WHEN opening > 0 THEN (closing - paid_in)::numeric / opening ELSE 1 END AS growth
    FROM equity_points
    WHERE channel = :channel AND account = :account
), grown AS (
    SELECT *, CASE WHEN min(growth) OVER run > 0 THEN exp(sum(ln(greatest(growth, 1e-9))) OVER run)
              ELSE 0 END AS index
    FROM days
    WINDOW run AS (ORDER BY trading_day)
)
SELECT trading_day, opening, closing, paid_in, profit, growth - 1 AS day_return, index,
       index / greatest(max(index) OVER (ORDER BY trading_day), 1) - 1 AS drawdown
FROM grown
ORDER BY trading_day
