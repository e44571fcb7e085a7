-- What makes orders happen once: the one writer, the evidence of every order that left, the notices that came
-- before their order was known, and halts of one symbol.

-- One row per lease that was ever taken. The right itself is a session lock that dies with its holder's
-- connection (`backend_pid`); `token` rises with every taking, `alive_at` is the holder's last sign of life.
CREATE TABLE leases (
    channel     text NOT NULL,
    account     text NOT NULL,
    name        text NOT NULL,
    token       bigint NOT NULL CHECK (token > 0),
    backend_pid integer NOT NULL,
    is_returned boolean NOT NULL,
    alive_at    timestamptz NOT NULL,
    PRIMARY KEY (channel, account, name)
) WITH (fillfactor = 50); -- rewritten at every send: room for that on the page

-- Committed together with SUBMITTED, before the first byte leaves. The columns from `scans` on are the progress of
-- the search for an order in doubt; `first_at` and `last_at` are its first and last complete scan.
CREATE TABLE submissions (
    channel         text NOT NULL,
    account         text NOT NULL,
    client_order_id text NOT NULL,
    fence           bigint NOT NULL,
    body            jsonb NOT NULL,
    sent_at         timestamptz NOT NULL,
    known_numbers   text[] NOT NULL,
    highest_number  text NOT NULL,
    held            bigint NOT NULL CHECK (held >= 0),
    sellable        bigint NOT NULL CHECK (sellable >= 0),
    buyable_cash    bigint,
    scans           integer NOT NULL CHECK (scans >= 0),
    first_at        timestamptz,
    last_at         timestamptz,
    is_control_seen boolean NOT NULL,
    is_noticed      boolean NOT NULL,
    PRIMARY KEY (channel, account, client_order_id),
    FOREIGN KEY (channel, account, client_order_id) REFERENCES orders
);

CREATE TABLE notices (
    notice_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel         text NOT NULL,
    account         text NOT NULL,
    trading_day     date NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('ACCEPTED', 'MODIFIED', 'CANCELED', 'REJECTED', 'FILLED')),
    broker_order_id text NOT NULL,
    original_id     text NOT NULL,
    symbol          symbol_code NOT NULL,
    side            order_side NOT NULL,
    order_type      text NOT NULL CHECK (order_type IN ('LIMIT', 'MARKET')),
    quantity        bigint NOT NULL,
    price           bigint NOT NULL,
    order_quantity  bigint NOT NULL,
    time_text       text NOT NULL,
    received_at     timestamptz NOT NULL,
    CONSTRAINT notices_once UNIQUE (
        channel, account, trading_day, broker_order_id, kind, original_id, symbol, side, order_type, quantity,
        price, order_quantity, time_text
    )
);

ALTER TABLE halts ADD COLUMN symbol text NOT NULL DEFAULT '' CHECK (symbol ~ '^([0-9A-Z]{6})?$');
DROP INDEX halts_in_force;
CREATE UNIQUE INDEX halts_in_force ON halts (channel, account, source, strategy_id, symbol)
    WHERE lifted_at IS NULL;

-- What a strategy holds, and what the account held before a day, without reading the years before.
CREATE INDEX executions_by_strategy ON executions (channel, account, strategy_id, symbol, sequence)
    INCLUDE (side, quantity);
CREATE INDEX executions_by_symbol ON executions (channel, account, symbol, trading_day);
CREATE INDEX ledger_entries_by_symbol ON ledger_entries (channel, account, symbol, entry_id);
CREATE INDEX ledger_entries_by_day ON ledger_entries (channel, account, trading_day);
