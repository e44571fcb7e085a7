-- Daily prices as they were traded, and what the adjusted series is made of them with: raw price times the factor of
-- the newest day up to it. A version of the factors is never changed, so an older adjusted series can be made again.
CREATE TABLE raw_bars (
    channel        text NOT NULL,
    symbol         symbol_code NOT NULL,
    trading_day    date NOT NULL,
    open           bigint NOT NULL CHECK (open >= 0),
    high           bigint NOT NULL CHECK (high >= 0),
    low            bigint NOT NULL CHECK (low >= 0),
    close          bigint NOT NULL CHECK (close >= 0),
    volume         bigint NOT NULL CHECK (volume >= 0),
    value          bigint CHECK (value >= 0),
    source         text NOT NULL,
    is_provisional boolean NOT NULL,
    PRIMARY KEY (channel, symbol, trading_day)
);
CREATE TABLE bar_factors (
    channel     text NOT NULL,
    symbol      symbol_code NOT NULL,
    version     integer NOT NULL CHECK (version > 0),
    since       date NOT NULL,
    numerator   bigint NOT NULL CHECK (numerator > 0),
    denominator bigint NOT NULL CHECK (denominator > 0),
    noted_at    timestamptz NOT NULL,
    PRIMARY KEY (channel, symbol, version, since)
);
