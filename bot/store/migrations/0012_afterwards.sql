-- After the case: words beside a rating; messages the bot misread, told by caseworkers; what authors did with their lists.

ALTER TABLE ratings ADD COLUMN event_id TEXT NOT NULL DEFAULT '';        -- of the words, so that an unsent message takes them along
CREATE INDEX ratings_words ON ratings (at) WHERE words <> '';

-- The states of all lists: new, done, dismissed. `settled_by` is none where the command line did it.
ALTER TABLE unanswered ADD COLUMN settled_at REAL;
ALTER TABLE unanswered ADD COLUMN settled_by INTEGER REFERENCES staff (id);
UPDATE unanswered SET state = 'done' WHERE state = 'adopted';
ALTER TABLE proposals ADD COLUMN settled_at REAL;
ALTER TABLE proposals ADD COLUMN settled_by INTEGER REFERENCES staff (id);
UPDATE proposals SET state = 'done' WHERE state = 'settled';

CREATE TABLE misread (
    id INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id),
    event_id TEXT NOT NULL,                        -- so that an unsent message takes its row along
    at REAL NOT NULL,
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    lang TEXT NOT NULL,
    text TEXT NOT NULL,                            -- (codec) as the caseworker left it, masked
    understood TEXT NOT NULL,                      -- the labels it was read as, parted by blanks
    meant TEXT NOT NULL,                           -- the label that was meant; empty: none of them
    state TEXT NOT NULL DEFAULT 'new',
    settled_at REAL,
    settled_by INTEGER REFERENCES staff (id),
    UNIQUE (conversation_id, event_id)
);
CREATE INDEX misread_state ON misread (state, id);
CREATE INDEX misread_at ON misread (at);
