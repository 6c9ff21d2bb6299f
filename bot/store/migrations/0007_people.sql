-- Accounts: languages, a second step at the log-in, sessions that were confirmed.

ALTER TABLE staff ADD COLUMN languages TEXT NOT NULL DEFAULT '';         -- codes, separated by spaces
ALTER TABLE staff ADD COLUMN totp TEXT NOT NULL DEFAULT '';              -- (codec) the secret of the second step; empty: off
ALTER TABLE staff ADD COLUMN totp_wanted TEXT NOT NULL DEFAULT '';       -- (codec) a secret shown, not yet proven
ALTER TABLE staff ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;       -- the time step of the newest code used

ALTER TABLE staff_sessions ADD COLUMN confirmed_at REAL NOT NULL DEFAULT 0;   -- when the password was given last
CREATE INDEX staff_sessions_staff ON staff_sessions (staff_id);

-- Log-ins whose password was right and whose code is still to come: no session yet.
CREATE TABLE staff_halfway (
    token_hash BLOB PRIMARY KEY,
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    created_at REAL NOT NULL
) WITHOUT ROWID;

-- Hashes of recovery codes (random, 120 bits), each good once.
CREATE TABLE staff_recovery (
    hash BLOB PRIMARY KEY,
    staff_id INTEGER NOT NULL REFERENCES staff (id)
) WITHOUT ROWID;
CREATE INDEX staff_recovery_staff ON staff_recovery (staff_id);
