-- Which rule refused which order of the day, and what did it look at?
SELECT risk_events.at, risk_events.client_order_id, risk_events.strategy_id, risk_events.symbol,
       coalesce(symbols.name, risk_events.symbol) AS name, orders.side, orders.quantity,
       risk_events.rule_id, risk_events.message, risk_events.figures
FROM risk_events
LEFT JOIN orders USING (channel, account, client_order_id)
LEFT JOIN symbols ON (symbols.channel, symbols.symbol) = (risk_events.channel, risk_events.symbol)
WHERE risk_events.channel = :channel AND risk_events.account = :account
  AND risk_events.trading_day = :trading_day AND risk_events.verdict = 'DENIED'
ORDER BY risk_events.event_id
