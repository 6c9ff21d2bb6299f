-- A lease that never ended makes its conversation suspect; what could not be worked on; who knows that it takes longer.
ALTER TABLE conversations ADD COLUMN suspect INTEGER NOT NULL DEFAULT 0;  -- leases since the last one that went well
ALTER TABLE conversations ADD COLUMN busy_told REAL NOT NULL DEFAULT 0;   -- when the person was told last
ALTER TABLE inbox ADD COLUMN aside_at REAL NOT NULL DEFAULT 0;            -- when it was moved aside, 0 for never
CREATE INDEX inbox_aside ON inbox (id) WHERE state = 'failed';
