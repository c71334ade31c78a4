#include "common/queue/lease.h"

#include "common/base/arg.h"
#include "common/link/db.h"

static const char SQL_LEASE_HEED[] =
    "SELECT afterwork.heed($1, $2::bigint, $3::bigint, $4::jsonb)";

bool
lease_heed(struct db *db, const char *queue, int64_t id, int64_t lease_no,
    const char *progress, enum lease_word *ret, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	const char *word;

	if (!db_query(db, "lease_heed", SQL_LEASE_HEED, 4,
		(const char *const[]){
		    queue, arg_int(id).s, arg_int(lease_no).s, progress },
		&rows, e))
		return false;
	word = db_text(rows, 0, 0);
	*ret = strcmp(word, "cancel") == 0 ? LEASE_CANCEL
	       : strcmp(word, "lost") == 0 ? LEASE_LOST
					   : LEASE_GO_ON;
	return true;
}

static const char SQL_LEASE_ASSERT[] =
    "SELECT afterwork.assert_lease($1::bigint, $2::bigint)";

bool
lease_assert(struct db *db, int64_t id, int64_t lease_no, struct err *e)
{
	return db_query(db, "lease_assert", SQL_LEASE_ASSERT, 2,
	    (const char *const[]){ arg_int(id).s, arg_int(lease_no).s }, NULL,
	    e);
}
