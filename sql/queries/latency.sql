-- How many milliseconds passed from the order's making to its sending and to the broker's acceptance, and
-- from the signal behind it?
SELECT orders.client_order_id, orders.symbol, orders.created_at,
       extract(epoch FROM orders.submitted_at - orders.created_at) * 1000 AS until_sent,
       extract(epoch FROM orders.accepted_at - orders.submitted_at) * 1000 AS until_accepted,
       extract(epoch FROM orders.accepted_at - signals.created_at) * 1000 AS since_signal
FROM orders
LEFT JOIN signals USING (channel, account, signal_id)
WHERE orders.channel = :channel AND orders.account = :account AND orders.trading_day = :trading_day
  AND orders.accepted_at IS NOT NULL
ORDER BY orders.sequence
