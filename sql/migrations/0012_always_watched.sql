-- The triggers of 0007 and 0008 fire from here on also in a session that plays a replica (session_replication_role), as
-- restores and logical replication do. One that somebody switched off, even if he switched it on again as one usually
-- does, or took away says that bars may have changed unseen: then every series is another at the next look.
CREATE FUNCTION watch_bar_table(watched regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
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
        ALTER TABLE ONLY WATCHED
            ENABLE ALWAYS TRIGGER bars_came, ENABLE ALWAYS TRIGGER bars_changed, ENABLE ALWAYS TRIGGER bars_were_others,
            ENABLE ALWAYS TRIGGER bars_went, ENABLE ALWAYS TRIGGER all_bars_went;
    $watch$, 'WATCHED', watched::text);
END $$;

CREATE FUNCTION is_bar_table_watched(watched bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT count(*) = 5 FROM pg_trigger
    WHERE tgrelid = watched::oid AND tgenabled = 'A'
        AND tgname IN ('bars_came', 'bars_changed', 'bars_were_others', 'bars_went', 'all_bars_went')
$$;

CREATE OR REPLACE FUNCTION watch_bar_partitions() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    whole CONSTANT bigint := 'market_bars'::regclass::oid::bigint;
    unwatched bigint;
BEGIN
    DELETE FROM bar_partitions
        WHERE partition NOT IN (SELECT attached_bar_partitions()) OR NOT is_bar_table_watched(partition);
    IF FOUND OR NOT is_bar_table_watched(whole) THEN
        UPDATE bar_series SET version = gen_random_uuid();
    END IF;
    FOR unwatched IN
        SELECT whole WHERE NOT is_bar_table_watched(whole)
        UNION (SELECT attached_bar_partitions() EXCEPT SELECT partition FROM bar_partitions)
    LOOP
        PERFORM watch_bar_table(unwatched::oid::regclass);
        EXECUTE replace($versions$
            INSERT INTO bar_series AS series (channel, symbol, "interval", version)
                SELECT channel, symbol, "interval", gen_random_uuid() FROM WATCHED
                GROUP BY channel, symbol, "interval" ORDER BY channel, symbol, "interval"
                ON CONFLICT (channel, symbol, "interval") DO UPDATE SET version = excluded.version;
        $versions$, 'WATCHED', unwatched::oid::regclass::text);
        IF unwatched <> whole THEN
            INSERT INTO bar_partitions VALUES (unwatched) ON CONFLICT DO NOTHING;
        END IF;
    END LOOP;
END $$;

SELECT watch_bar_table('market_bars');
SELECT watch_bar_table(partition::oid::regclass) FROM attached_bar_partitions() AS partition;
SELECT watch_bar_partitions();
