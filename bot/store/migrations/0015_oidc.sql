-- Log-in with the city's identity provider.

-- Whose account belongs to which subject at which provider. A subject means nothing elsewhere and is no name.
CREATE TABLE staff_identities (
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    linked_at REAL NOT NULL,
    PRIMARY KEY (staff_id, issuer),
    UNIQUE (issuer, subject)
) WITHOUT ROWID;

-- Browsers that were sent to the provider: each comes back once, within minutes.
CREATE TABLE oidc_attempts (
    state BLOB PRIMARY KEY,                        -- hash of what goes along and comes back
    browser BLOB NOT NULL,                         -- hash of the browser's cookie
    session BLOB NOT NULL,                         -- hash of the session that the browser had, if it had one
    staff_id INTEGER REFERENCES staff (id),        -- who connects an account; NULL: a log-in
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,                        -- (codec)
    created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX oidc_attempts_at ON oidc_attempts (created_at);

-- What was right in a half-open log-in: the password, or the provider's word.
ALTER TABLE staff_halfway ADD COLUMN first TEXT NOT NULL DEFAULT 'password';
