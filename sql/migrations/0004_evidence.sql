-- What was tried on which commit and channel, and how it went: a promotion to the next channel asks for it.
CREATE TABLE evidence (
    evidence_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel     text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('TESTS', 'REPLAY', 'RECONCILIATION', 'PARITY', 'REHEARSAL')),
    commit      text NOT NULL CHECK (commit ~ '^([0-9a-f]{40})?$'),
    made_at     timestamptz NOT NULL,
    is_passed   boolean NOT NULL,
    figures     jsonb NOT NULL
);
CREATE INDEX evidence_newest ON evidence (channel, kind, made_at DESC, evidence_id DESC);

-- A version is code and settings: the commit that it was proposed on, '' from before it was kept or where nobody can tell.
ALTER TABLE configs ADD COLUMN commit text NOT NULL DEFAULT '' CHECK (commit ~ '^([0-9a-f]{40})?$');
