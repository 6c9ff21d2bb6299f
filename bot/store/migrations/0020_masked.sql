-- What a person typed before a number in it was masked: for whoever holds an open case, and for a short time.
CREATE TABLE masked (
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    event_id TEXT NOT NULL,
    seq INTEGER NOT NULL,                          -- the line of the transcript
    kind TEXT NOT NULL,                            -- kinds of numbers, with blanks between
    at REAL NOT NULL,
    body TEXT NOT NULL,                            -- (codec) the words as they were typed
    PRIMARY KEY (conversation_id, event_id)
) WITHOUT ROWID;
CREATE INDEX masked_at ON masked (at);
