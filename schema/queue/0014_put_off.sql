-- An entry of a schedule that is put off, since its job would have had to wait
-- for somebody's transaction: the slot that next_at was before.  See
-- schema/README.md, "Schedules".
ALTER TABLE afterwork.schedule ADD COLUMN due_at timestamptz;
