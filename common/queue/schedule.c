#include "common/queue/schedule.h"

#include "common/link/db.h"

static const char SQL_SCHEDULE_HANDLE[] =
    "SELECT doc, queued\n"
    "FROM afterwork.handle_schedules(CASE WHEN $1::text IS NOT NULL\n"
    "    THEN ARRAY[$1::text] END)";

bool
schedule_handle(struct db *db, const char *queue, struct buf *ret_doc,
    int64_t *ret_queued, struct err *e)
{
	const char *const args[] = { queue };
	AUTO_ROWS *rows = NULL;

	if (!db_query(db, "schedule_handle", SQL_SCHEDULE_HANDLE, LEN(args),
		args, &rows, e))
		return false;
	buf_add(ret_doc, db_text(rows, 0, 0), db_text_len(rows, 0, 0));
	*ret_queued = db_int(rows, 0, 1);
	return true;
}
