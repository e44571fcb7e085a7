-- What became of each order of the day, denied ones included?
SELECT orders.client_order_id, orders.symbol, coalesce(symbols.name, orders.symbol) AS name,
       orders.strategy_id, orders.side, orders.order_type, orders.quantity, orders.limit_price,
       orders.status, orders.filled_quantity,
       orders.filled_value::numeric / nullif(orders.filled_quantity, 0) AS average_price,
       orders.broker_order_id, orders.reason, orders.error_code, orders.error_message,
       orders.created_at, orders.submitted_at, orders.accepted_at, orders.updated_at
FROM orders
LEFT JOIN symbols USING (channel, symbol)
WHERE orders.channel = :channel AND orders.account = :account AND orders.trading_day = :trading_day
ORDER BY orders.sequence
