-- Messages the bot could not answer, redacted, for authors of utterances.

CREATE TABLE unanswered (
    id INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    event_id TEXT NOT NULL,                        -- so that an unsent message takes its row along
    at REAL NOT NULL,
    lang TEXT NOT NULL,
    decision TEXT NOT NULL,                        -- clarify, refuse
    text TEXT NOT NULL,                            -- (codec) redacted
    offered TEXT NOT NULL DEFAULT '',              -- labels shown to choose from, parted by blanks
    picked TEXT NOT NULL DEFAULT '',               -- the label the person then tapped
    state TEXT NOT NULL DEFAULT 'new'              -- new, adopted, dismissed
);
CREATE INDEX unanswered_state ON unanswered (state, id);
CREATE INDEX unanswered_conversation ON unanswered (conversation_id, id);
