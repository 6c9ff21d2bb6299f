-- One-time passwords end by themselves.
ALTER TABLE staff ADD COLUMN one_time_until REAL;                         -- the password is of somebody else's making and good until then
UPDATE staff SET one_time_until = ((julianday('now') - 2440587.5) * 86400.0) + 604800 WHERE must_change = 1;
