-- What was bought and sold on the day, at what price, and what did it cost?
SELECT executions.execution_id, executions.client_order_id, executions.broker_order_id,
       executions.symbol, coalesce(symbols.name, executions.symbol) AS name, executions.strategy_id,
       executions.side, executions.quantity, executions.value::numeric / executions.quantity AS price,
       executions.value, executions.commission, executions.tax, executions.executed_at,
       executions.settles_on
FROM executions
LEFT JOIN symbols USING (channel, symbol)
WHERE executions.channel = :channel AND executions.account = :account
  AND executions.trading_day = :trading_day
ORDER BY executions.sequence
