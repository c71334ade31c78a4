-- The statement that reads pages has it in itself now (common/site/page_read.c).
DROP FUNCTION IF EXISTS site.page_galleries(bigint, boolean, text);
