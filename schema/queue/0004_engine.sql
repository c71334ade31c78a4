-- The queue engine: what enqueue, claim and settle need beyond the first tables.

-- true for every input that fits input_schema, and for no other: the checks of
-- a task's fields as one expression that PostgreSQL evaluates by itself
-- (afterwork.input_path makes it).  null where it can't be said so; then, as
-- when it says no, afterwork.check_input() looks field by field.
ALTER TABLE afterwork.task ADD COLUMN input_ok jsonpath;
