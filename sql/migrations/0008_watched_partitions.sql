-- The triggers of 0007 fire for what names market_bars. What names one of its partitions fires that partition's own
-- triggers, so each gets the same, and what is attached, detached or dropped by hand is noticed at the next look.
CREATE TABLE bar_partitions (
    partition bigint PRIMARY KEY -- its oid; those of a copy of the database are others, and are looked at anew
);

CREATE FUNCTION attached_bar_partitions() RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    SELECT inhrelid::bigint FROM pg_inherits WHERE inhparent = 'market_bars'::regclass AND NOT inhdetachpending
$$;

CREATE FUNCTION watch_bar_partitions() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    unwatched bigint;
BEGIN
    DELETE FROM bar_partitions WHERE partition NOT IN (SELECT attached_bar_partitions());
    IF FOUND THEN
        UPDATE bar_series SET version = gen_random_uuid();
    END IF;
    FOR unwatched IN SELECT attached_bar_partitions() EXCEPT SELECT partition FROM bar_partitions LOOP
        EXECUTE replace($watch$
            CREATE OR REPLACE TRIGGER bars_came AFTER INSERT ON WATCHED
                REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION version_bar_series();
            CREATE OR REPLACE TRIGGER bars_changed AFTER UPDATE ON WATCHED
                REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION version_bar_series();
            CREATE OR REPLACE TRIGGER bars_were_others AFTER UPDATE ON WATCHED
                REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION version_bar_series();
            CREATE OR REPLACE TRIGGER bars_went AFTER DELETE ON WATCHED
                REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION version_bar_series();
            CREATE OR REPLACE TRIGGER all_bars_went AFTER TRUNCATE ON WATCHED
                FOR EACH STATEMENT EXECUTE FUNCTION version_all_bar_series();
            INSERT INTO bar_series AS series (channel, symbol, "interval", version)
                SELECT channel, symbol, "interval", gen_random_uuid() FROM WATCHED
                GROUP BY channel, symbol, "interval" ORDER BY channel, symbol, "interval"
                ON CONFLICT (channel, symbol, "interval") DO UPDATE SET version = excluded.version;
        $watch$, 'WATCHED', unwatched::oid::regclass::text);
        INSERT INTO bar_partitions VALUES (unwatched) ON CONFLICT DO NOTHING;
    END LOOP;
END $$;
SELECT watch_bar_partitions();
