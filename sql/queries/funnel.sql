-- How many signals became orders, and how many orders became fills, on each day of the span?
WITH days AS (
    SELECT generate_series(:first ::date, :last ::date, interval '1 day')::date AS trading_day
), said AS (
    SELECT trading_day, count(*) AS signals FROM signals
    WHERE channel = :channel AND account = :account GROUP BY trading_day
), ordered AS (
    SELECT trading_day, count(*) AS orders,
           count(*) FILTER (WHERE status = 'DENIED') AS denied,
           count(*) FILTER (WHERE status = 'REJECTED') AS rejected,
           count(*) FILTER (WHERE accepted_at IS NOT NULL) AS accepted,
           count(*) FILTER (WHERE filled_quantity > 0) AS filled
    FROM orders WHERE channel = :channel AND account = :account GROUP BY trading_day
)
SELECT trading_day, coalesce(signals, 0) AS signals, coalesce(orders, 0) AS orders,
       coalesce(denied, 0) AS denied, coalesce(rejected, 0) AS rejected,
       coalesce(accepted, 0) AS accepted, coalesce(filled, 0) AS filled
FROM days LEFT JOIN said USING (trading_day) LEFT JOIN ordered USING (trading_day)
WHERE coalesce(signals, 0) + coalesce(orders, 0) > 0
ORDER BY trading_day
