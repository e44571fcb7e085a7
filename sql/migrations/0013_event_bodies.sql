-- What an event is told as, all but its number, written with it; empty once it was sent, and where nobody is told. Code
-- that knows nothing of it makes the same anew from the payload.
ALTER TABLE outbox ADD COLUMN body bytea;

-- To note that an event was sent writes its row anew. Where the page has room for that, only what differs goes to the WAL,
-- a sixth of it, and the table need not grow.
ALTER TABLE outbox SET (fillfactor = 50);
