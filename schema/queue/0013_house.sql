-- Keeping house goes in two statements and remembers where it stopped.  See
-- schema/README.md, "Keeping house".

-- Where the last sweep stopped: what it was at, of which queue, behind which
-- key.  Null: it was through.
ALTER TABLE afterwork.upkeep ADD COLUMN left_off text[];

-- Their arguments or results are others now (api/house.sql, api/place.sql,
-- api/schedule.sql).
DROP FUNCTION IF EXISTS afterwork.keep_house(interval);
DROP FUNCTION IF EXISTS afterwork.places_keep(text);
DROP FUNCTION IF EXISTS afterwork.schedules_keep(interval, timestamptz);
