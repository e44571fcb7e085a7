-- A version of each series of bars, another one after every change, whoever makes it: what is kept of the series
-- elsewhere knows by it whether it is still right. It is random, so that it means the same in a copy of the database.
CREATE TABLE bar_series (
    channel    text NOT NULL,
    symbol     symbol_code NOT NULL,
    "interval" bar_interval NOT NULL,
    version    uuid NOT NULL,
    PRIMARY KEY (channel, symbol, "interval")
);
INSERT INTO bar_series
    SELECT channel, symbol, "interval", gen_random_uuid() FROM market_bars GROUP BY channel, symbol, "interval";

CREATE FUNCTION version_bar_series() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO bar_series AS series (channel, symbol, "interval", version)
    SELECT channel, symbol, "interval", gen_random_uuid() FROM changed
    GROUP BY channel, symbol, "interval" ORDER BY channel, symbol, "interval"
    ON CONFLICT (channel, symbol, "interval") DO UPDATE SET version = excluded.version;
    RETURN NULL;
END $$;
CREATE TRIGGER bars_came AFTER INSERT ON market_bars
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION version_bar_series();
CREATE TRIGGER bars_changed AFTER UPDATE ON market_bars
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION version_bar_series();
CREATE TRIGGER bars_were_others AFTER UPDATE ON market_bars
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION version_bar_series();
CREATE TRIGGER bars_went AFTER DELETE ON market_bars
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION version_bar_series();

CREATE FUNCTION version_all_bar_series() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE bar_series SET version = gen_random_uuid();
    RETURN NULL;
END $$;
CREATE TRIGGER all_bars_went AFTER TRUNCATE ON market_bars
    FOR EACH STATEMENT EXECUTE FUNCTION version_all_bar_series();
