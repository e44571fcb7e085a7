-- The first schema. Money is bigint in whole won, shares bigint, rates numeric, times timestamptz (UTC),
-- days date. Everything belongs to a channel (dev, paper, live) and, where it is an account's, to an account,
-- so that simulated prices and orders never mix with real ones in one database. PostgreSQL 15 or newer.

CREATE DOMAIN symbol_code AS text CHECK (VALUE ~ '^[0-9A-Z]{6}$');
CREATE DOMAIN bar_interval AS text CHECK (VALUE IN ('1m', '1d'));
CREATE DOMAIN order_side AS text CHECK (VALUE IN ('BUY', 'SELL'));
CREATE DOMAIN order_status AS text CHECK (VALUE IN (
    'INITIALIZED', 'DENIED', 'SUBMITTED', 'ACCEPTED', 'PARTIALLY_FILLED',
    'PENDING_CANCEL', 'CANCELED', 'EXPIRED', 'REJECTED', 'FILLED'
));

-- Market data -------------------------------------------------------------------------------------------

CREATE TABLE symbols (
    channel           text NOT NULL,
    symbol            symbol_code NOT NULL,
    name              text NOT NULL,
    market            text NOT NULL CHECK (market IN ('KOSPI', 'KOSDAQ', 'KONEX')),
    kind              text NOT NULL CHECK (kind IN ('STOCK', 'ETF', 'ETN', 'ELW')),
    is_halted         boolean NOT NULL,
    is_administrative boolean NOT NULL,
    is_liquidation    boolean NOT NULL,
    listed_on         date,
    PRIMARY KEY (channel, symbol)
);

-- One partition per month (UTC), made when its first bar is written.
CREATE TABLE market_bars (
    channel        text NOT NULL,
    symbol         symbol_code NOT NULL,
    "interval"     bar_interval NOT NULL,
    at             timestamptz NOT NULL,
    source         text NOT NULL,
    trading_day    date NOT NULL,
    open           bigint NOT NULL CHECK (open >= 0),
    high           bigint NOT NULL CHECK (high >= 0),
    low            bigint NOT NULL CHECK (low >= 0),
    close          bigint NOT NULL CHECK (close >= 0),
    volume         bigint NOT NULL CHECK (volume >= 0),
    value          bigint CHECK (value >= 0),
    is_provisional boolean NOT NULL,
    is_adjusted    boolean NOT NULL,
    PRIMARY KEY (channel, symbol, "interval", at, source)
) PARTITION BY RANGE (at);
CREATE INDEX market_bars_by_time ON market_bars (at, symbol);
CREATE INDEX market_bars_provisional ON market_bars (channel, symbol, "interval", trading_day)
    WHERE is_provisional;

CREATE TABLE bar_gaps (
    channel     text NOT NULL,
    symbol      symbol_code NOT NULL,
    trading_day date NOT NULL,
    reason      text NOT NULL,
    PRIMARY KEY (channel, symbol, trading_day)
);

CREATE TABLE trading_calendar (
    channel     text NOT NULL,
    day         date NOT NULL,
    is_open     boolean NOT NULL,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (channel, day)
);

-- Decisions and orders ----------------------------------------------------------------------------------

CREATE TABLE signals (
    channel         text NOT NULL,
    account         text NOT NULL,
    signal_id       text NOT NULL,
    sequence        bigint GENERATED ALWAYS AS IDENTITY,
    strategy_id     text NOT NULL,
    symbol          symbol_code NOT NULL,
    direction       text NOT NULL CHECK (direction IN ('ENTRY', 'EXIT')),
    strength        numeric NOT NULL CHECK (strength > 0 AND strength <= 1),
    trigger         text NOT NULL,
    reason          text NOT NULL,
    parameter_hash  text NOT NULL,
    reference_price bigint NOT NULL CHECK (reference_price > 0),
    trading_day     date NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    indicators      jsonb NOT NULL,
    PRIMARY KEY (channel, account, signal_id)
);
CREATE INDEX signals_by_day ON signals (channel, account, trading_day);

CREATE TABLE orders (
    channel         text NOT NULL,
    account         text NOT NULL,
    client_order_id text NOT NULL,
    sequence        bigint GENERATED ALWAYS AS IDENTITY,
    strategy_id     text NOT NULL,
    symbol          symbol_code NOT NULL,
    side            order_side NOT NULL,
    quantity        bigint NOT NULL CHECK (quantity > 0),
    order_type      text NOT NULL CHECK (order_type IN ('LIMIT', 'MARKET')),
    limit_price     bigint CHECK (limit_price > 0),
    trading_day     date NOT NULL,
    signal_id       text NOT NULL,
    reason          text NOT NULL,
    reference_price bigint NOT NULL CHECK (reference_price >= 0),
    parameter_hash  text NOT NULL,
    created_at      timestamptz NOT NULL,
    status          order_status NOT NULL,
    broker_order_id text NOT NULL DEFAULT '',
    broker_branch   text NOT NULL DEFAULT '',
    filled_quantity bigint NOT NULL DEFAULT 0,
    filled_value    bigint NOT NULL DEFAULT 0 CHECK (filled_value >= 0),
    submitted_at    timestamptz,
    accepted_at     timestamptz,
    updated_at      timestamptz NOT NULL,
    error_code      text NOT NULL DEFAULT '',
    error_message   text NOT NULL DEFAULT '',
    PRIMARY KEY (channel, account, client_order_id),
    CONSTRAINT orders_price_fits_type CHECK ((order_type = 'LIMIT') = (limit_price IS NOT NULL)),
    CONSTRAINT orders_never_overfilled CHECK (filled_quantity BETWEEN 0 AND quantity)
);
CREATE UNIQUE INDEX orders_by_broker_id ON orders (channel, account, trading_day, broker_order_id)
    WHERE broker_order_id <> '';
CREATE INDEX orders_by_day ON orders (channel, account, trading_day);
CREATE INDEX orders_open ON orders (channel, account, sequence)
    WHERE status IN ('SUBMITTED', 'ACCEPTED', 'PARTIALLY_FILLED', 'PENDING_CANCEL');

CREATE TABLE order_events (
    event_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel         text NOT NULL,
    account         text NOT NULL,
    client_order_id text NOT NULL,
    status          order_status NOT NULL,
    at              timestamptz NOT NULL,
    detail          text NOT NULL,
    FOREIGN KEY (channel, account, client_order_id) REFERENCES orders
);
CREATE INDEX order_events_by_order ON order_events (channel, account, client_order_id, event_id);

CREATE TABLE executions (
    channel             text NOT NULL,
    account             text NOT NULL,
    execution_id        text NOT NULL,
    sequence            bigint GENERATED ALWAYS AS IDENTITY,
    client_order_id     text NOT NULL,
    broker_order_id     text NOT NULL,
    strategy_id         text NOT NULL,
    symbol              symbol_code NOT NULL,
    side                order_side NOT NULL,
    quantity            bigint NOT NULL CHECK (quantity > 0),
    value               bigint NOT NULL CHECK (value > 0),
    commission          bigint NOT NULL CHECK (commission >= 0),
    tax                 bigint NOT NULL CHECK (tax >= 0),
    cumulative_quantity bigint NOT NULL CHECK (cumulative_quantity >= quantity),
    trading_day         date NOT NULL,
    settles_on          date NOT NULL,
    executed_at         timestamptz NOT NULL,
    source              text NOT NULL CHECK (source IN ('NOTICE', 'INQUIRY')),
    PRIMARY KEY (channel, account, execution_id),
    FOREIGN KEY (channel, account, client_order_id) REFERENCES orders
);
CREATE INDEX executions_by_order ON executions (channel, account, client_order_id, sequence);
CREATE INDEX executions_by_day ON executions (channel, account, trading_day, sequence);

CREATE TABLE risk_events (
    event_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel         text NOT NULL,
    account         text NOT NULL,
    client_order_id text NOT NULL,
    strategy_id     text NOT NULL,
    symbol          symbol_code NOT NULL,
    rule_id         text NOT NULL,
    verdict         text NOT NULL DEFAULT 'DENIED' CHECK (verdict IN ('DENIED', 'PASSED')),
    message         text NOT NULL,
    figures         jsonb NOT NULL,
    at              timestamptz NOT NULL,
    trading_day     date NOT NULL
);
CREATE INDEX risk_events_by_day ON risk_events (channel, account, trading_day, event_id);

-- The account's book ------------------------------------------------------------------------------------

CREATE TABLE positions (
    channel  text NOT NULL,
    account  text NOT NULL,
    symbol   symbol_code NOT NULL,
    quantity bigint NOT NULL CHECK (quantity >= 0),
    cost     bigint NOT NULL CHECK (cost >= 0),
    realized bigint NOT NULL,
    charges  bigint NOT NULL CHECK (charges >= 0),
    PRIMARY KEY (channel, account, symbol)
);

-- Every won and share that came or went: `amount` is the change of cash on `settles_on`, `quantity` and `cost`
-- are those of an adopted position. `trading_day` is the day that a booking counts for.
CREATE TABLE ledger_entries (
    entry_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel      text NOT NULL,
    account      text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('DEPOSIT', 'EXECUTION', 'ADOPTION')),
    trading_day  date NOT NULL,
    settles_on   date NOT NULL,
    amount       bigint NOT NULL,
    symbol       symbol_code,
    quantity     bigint NOT NULL DEFAULT 0,
    cost         bigint NOT NULL DEFAULT 0,
    execution_id text,
    reason       text NOT NULL,
    booked_at    timestamptz NOT NULL,
    UNIQUE (channel, account, execution_id),
    FOREIGN KEY (channel, account, execution_id) REFERENCES executions,
    CONSTRAINT ledger_entries_name_their_fill CHECK ((kind = 'EXECUTION') = (execution_id IS NOT NULL))
);
CREATE INDEX ledger_entries_by_settlement ON ledger_entries (channel, account, settles_on) INCLUDE (amount);

CREATE TABLE equity_points (
    channel     text NOT NULL,
    account     text NOT NULL,
    trading_day date NOT NULL,
    opening     bigint NOT NULL,
    closing     bigint NOT NULL,
    paid_in     bigint NOT NULL,
    PRIMARY KEY (channel, account, trading_day)
);

-- Control and record ------------------------------------------------------------------------------------

CREATE TABLE halts (
    halt_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel     text NOT NULL,
    account     text NOT NULL,
    source      text NOT NULL,
    strategy_id text NOT NULL,
    state       text NOT NULL CHECK (state IN ('REDUCING', 'HALTED')),
    reason      text NOT NULL,
    at          timestamptz NOT NULL,
    lifted_at   timestamptz,
    lift_reason text
);
CREATE UNIQUE INDEX halts_in_force ON halts (channel, account, source, strategy_id) WHERE lifted_at IS NULL;

CREATE TABLE configs (
    channel  text NOT NULL,
    account  text NOT NULL,
    version  integer NOT NULL CHECK (version > 0),
    digest   text NOT NULL,
    document jsonb NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (channel, account, version)
);

CREATE TABLE outbox (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel  text NOT NULL,
    account  text NOT NULL,
    topic    text NOT NULL,
    key      text NOT NULL,
    payload  jsonb NOT NULL,
    at       timestamptz NOT NULL,
    sent_at  timestamptz
);
CREATE INDEX outbox_pending ON outbox (channel, account, event_id) WHERE sent_at IS NULL;

CREATE TABLE audit (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel  text NOT NULL,
    account  text NOT NULL,
    actor    text NOT NULL,
    action   text NOT NULL,
    detail   jsonb NOT NULL,
    at       timestamptz NOT NULL
);
