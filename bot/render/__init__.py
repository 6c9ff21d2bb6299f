"""From effects to replies in the reader's language, and from replies to what a channel can show."""
