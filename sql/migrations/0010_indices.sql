-- The levels of market indices by day, in points: what accounts and backtests are compared with.
CREATE TABLE index_bars (
    channel     text NOT NULL,
    "index"     text NOT NULL CHECK ("index" IN ('KOSPI')),
    trading_day date NOT NULL,
    open        numeric NOT NULL CHECK (open > 0),
    high        numeric NOT NULL CHECK (high > 0),
    low         numeric NOT NULL CHECK (low > 0),
    close       numeric NOT NULL CHECK (close > 0),
    PRIMARY KEY (channel, "index", trading_day)
);
