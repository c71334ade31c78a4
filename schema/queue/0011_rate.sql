-- May jobs of this key be blocked?  False only while none is: who gives a place
-- back then has nobody to look for.
ALTER TABLE afterwork.place ADD COLUMN waiting boolean NOT NULL DEFAULT true;

-- Their arguments are others now (api/*.sql).
DROP FUNCTION IF EXISTS afterwork.take_places(text, bigint[]);
