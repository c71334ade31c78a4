-- What a page's version has to be is said now, and what came of it.
DROP FUNCTION IF EXISTS site.page_save(bigint, text, text, jsonb, jsonb);
DROP FUNCTION IF EXISTS site.page_delete(bigint);
DROP FUNCTION IF EXISTS site.page_set_galleries(bigint, jsonb);
