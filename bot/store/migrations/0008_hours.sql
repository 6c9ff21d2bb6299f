-- Single days on which the desk is open otherwise than the week and the public calendar say. Past ones stay: the clocks
-- of old cases run by them.

CREATE TABLE hours_overrides (
    day TEXT PRIMARY KEY,                          -- ISO
    spans TEXT NOT NULL,                           -- such as 08:00-12:00 13:30-17:30; empty: closed
    reason TEXT NOT NULL,                          -- (codec)
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    at REAL NOT NULL
);
CREATE INDEX cases_unanswered ON cases (opened_at) WHERE first_answer_at IS NULL AND state <> 'closed';

ALTER TABLE staff ADD COLUMN seen_at REAL NOT NULL DEFAULT 0;             -- at the desk last, of sessions that are gone
