-- Every column is in a row's hash: its place in the table is its number, and nothing else.
ALTER TABLE audit
    DROP COLUMN audit_id,
    ALTER COLUMN number SET NOT NULL,
    ALTER COLUMN before SET NOT NULL,
    ALTER COLUMN digest SET NOT NULL,
    ADD PRIMARY KEY (channel, account, number),
    ADD CHECK (number > 0);

CREATE FUNCTION refuse_to_change_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = 'the audit log is only ever added to: no ' || tg_op;
END
$$;
CREATE TRIGGER audit_is_history BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_history();
