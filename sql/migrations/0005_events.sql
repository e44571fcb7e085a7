-- Events on their way out and back in: how long one waits for the relay, where each consumer goes on and what it
-- took in (written in the transaction of its effect), and what orders and fills add up to as the events tell it.
ALTER TABLE outbox ADD COLUMN written_at timestamptz NOT NULL DEFAULT clock_timestamp();

CREATE TABLE consumer_offsets (
    channel     text NOT NULL,
    account     text NOT NULL,
    consumer    text NOT NULL,
    topic       text NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    PRIMARY KEY (channel, account, consumer, topic, partition)
);

CREATE TABLE consumed_events (
    channel  text NOT NULL,
    account  text NOT NULL,
    consumer text NOT NULL,
    event_id bigint NOT NULL,
    PRIMARY KEY (channel, account, consumer, event_id)
);

CREATE TABLE told_orders (
    channel         text NOT NULL,
    account         text NOT NULL,
    client_order_id text NOT NULL,
    symbol          text NOT NULL,
    side            text NOT NULL,
    status          text NOT NULL,
    quantity        bigint NOT NULL,
    filled_quantity bigint NOT NULL,
    filled_value    bigint NOT NULL,
    event_id        bigint NOT NULL,
    PRIMARY KEY (channel, account, client_order_id)
);

CREATE TABLE told_holdings (
    channel     text NOT NULL,
    account     text NOT NULL,
    strategy_id text NOT NULL,
    symbol      text NOT NULL,
    quantity    bigint NOT NULL,
    cash        bigint NOT NULL,
    PRIMARY KEY (channel, account, strategy_id, symbol)
);
