-- How a fact was told: choice (a button), list (the list of situations), text (typed and read), passing (mentioned
-- before anybody asked, then taken over), desk (corrected by the privacy officer); empty: not recorded.
ALTER TABLE facts ADD COLUMN how TEXT NOT NULL DEFAULT '';
