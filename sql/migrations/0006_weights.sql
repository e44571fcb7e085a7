-- The part of equity that a signal wants to hold; null leaves the size to the settings.
ALTER TABLE signals ADD COLUMN target_weight numeric(5, 4)
    CHECK (CASE direction WHEN 'EXIT' THEN target_weight = 0 ELSE target_weight > 0 AND target_weight <= 1 END);
