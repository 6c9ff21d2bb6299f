-- The phrasebook as the desk keeps it: every version of a sentence written or changed there, and what is used how often.

CREATE TABLE phrases (
    phrase TEXT NOT NULL,                          -- its key; that of a packaged sentence where that one was changed
    version INTEGER NOT NULL,                      -- 1, 2, 3; the highest one is served
    state TEXT NOT NULL,                           -- served, retired
    topic TEXT NOT NULL DEFAULT '',                -- the topic it is offered for first
    texts TEXT NOT NULL,                           -- (codec) JSON: language to sentence, slots in braces
    staff_id INTEGER NOT NULL REFERENCES staff (id),
    at REAL NOT NULL,
    PRIMARY KEY (phrase, version)
);

-- How often a sentence was sent in cases of a topic; no link to any case.
CREATE TABLE phrase_uses (
    phrase TEXT NOT NULL,
    topic TEXT NOT NULL,
    uses INTEGER NOT NULL,
    PRIMARY KEY (phrase, topic)
);
