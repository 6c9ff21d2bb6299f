-- The servers that share this database, by their last sign of life: what a dead one held is freed.
CREATE TABLE servers (
    id TEXT PRIMARY KEY,                      -- drawn at each start; the owner of its leases
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at REAL NOT NULL,
    seen_at REAL NOT NULL                     -- by the database's clock
);
