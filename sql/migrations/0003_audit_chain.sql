-- Who changed what: audit rows as a chain of hashes (versions/0003 chains those there are), versions of the
-- settings that wait for an approval, and the version behind every signal and order.

ALTER TABLE audit ADD COLUMN number bigint, ADD COLUMN before text, ADD COLUMN digest text;

ALTER TABLE configs ADD COLUMN reason text NOT NULL DEFAULT '', ADD COLUMN approved_at timestamptz;
UPDATE configs SET approved_at = at; -- every version was in force as soon as a run had seen it
ALTER TABLE configs ALTER COLUMN reason DROP DEFAULT;

-- 0: from before versions were kept with it.
ALTER TABLE signals ADD COLUMN config_version integer NOT NULL DEFAULT 0 CHECK (config_version >= 0);
ALTER TABLE orders ADD COLUMN config_version integer NOT NULL DEFAULT 0 CHECK (config_version >= 0);
