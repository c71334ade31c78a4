#include "common/queue/enqueue.h"

#include "common/base/arg.h"
#include "common/link/db.h"

/* Each text becomes one element, whatever is in it: a list put together here
 * could be ended by what a text holds. */
static const char SQL_ENQUEUE_MANY[] =
    "SELECT m.id FROM afterwork.enqueue_many($1, (\n"
    "    SELECT coalesce(pg_catalog.jsonb_agg(i.input::jsonb ORDER BY i.n), "
    "'[]')\n"
    "    FROM pg_catalog.unnest($2::text[]) WITH ORDINALITY AS i (input, n)))\n"
    "    WITH ORDINALITY AS m (id, n)\n"
    "ORDER BY m.n";

bool
enqueue_many(struct db *db, const char *task, const char *const inputs[],
    size_t n, int64_t *ret_ids, struct err *e)
{
	AUTO_BUF list = BUF_INIT;
	AUTO_ROWS *rows = NULL;

	if (n == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		db_array_add(&list, inputs[i]);
	db_array_end(&list);
	if (!buf_ok(&list, e) ||
	    !db_query(db, "enqueue_many", SQL_ENQUEUE_MANY, 2,
		(const char *const[]){ task, list.data }, &rows, e))
		return false;
	if ((size_t)db_nrows(rows) != n)
		return err_fail(e, ERR_BUG, "%d jobs of %zu were stored",
		    db_nrows(rows), n);
	for (size_t i = 0; ret_ids != NULL && i < n; i++)
		ret_ids[i] = db_int(rows, (int)i, 0);
	return true;
}

static const char SQL_ENQUEUE_DUE[] =
    "SELECT pg_catalog.to_char((pg_catalog.clock_timestamp()\n"
    "    + $1::bigint * interval '1 ms') AT TIME ZONE 'UTC',\n"
    "    'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";

bool
enqueue_due(
    struct db *db, int64_t delay_ms, struct buf *ret_run_at, struct err *e)
{
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "enqueue_due", SQL_ENQUEUE_DUE, 1,
		(const char *const[]){ arg_int(delay_ms).s }, &rows, e))
		return false;
	buf_adds(ret_run_at, db_text(rows, 0, 0));
	return true;
}
