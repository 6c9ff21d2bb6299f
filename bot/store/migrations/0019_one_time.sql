-- One-time passwords end by themselves.
ALTER TABLE staff ADD COLUMN one_time_until REAL;                         -- a handed-over password is good until then
UPDATE staff SET one_time_until = created_at + 604800 WHERE must_change = 1;
