-- The day from which on a symbol cannot be traded any more; null while no such day is known.
ALTER TABLE symbols ADD COLUMN delisted_on date;
