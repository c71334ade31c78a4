#include "common/runner/board.h"

void
board_say(struct board *b, int64_t lease_no, const char *json)
{
	size_t n = strlen(json) + 1;

	if (n > sizeof(b->progress))
		return;
	(void)atomic_fetch_add(&b->progress_no, 1);
	atomic_store(&b->progress_lease, lease_no);
	memcpy(b->progress, json, n);
	(void)atomic_fetch_add(&b->progress_no, 1);
}

bool
board_said(struct board *b, int64_t lease_no, uint32_t *seen,
    char ret[static BOARD_PROGRESS_MAX])
{
	uint32_t no = atomic_load(&b->progress_no);

	if (no == *seen || no % 2 != 0 ||
	    atomic_load(&b->progress_lease) != lease_no)
		return false;
	memcpy(ret, b->progress, BOARD_PROGRESS_MAX);
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load(&b->progress_no) != no)
		return false;
	*seen = no;
	return true;
}

enum runner_status
board_status(enum settle_op op)
{
	switch (op) {
	case SETTLE_DONE:
		return RUNNER_SUCCESS;
	case SETTLE_FAILED:
	case SETTLE_PARK:
	case SETTLE_CANCELLED:
		return RUNNER_ERROR_FINAL;
	case SETTLE_RETRY:
	case SETTLE_RELEASE:
	case SETTLE_CRASH:
	case SETTLE_SNOOZE:
		break;
	}
	return RUNNER_ERROR;
}

void
board_report(struct board *b, int64_t id, enum runner_status status)
{
	struct runner_report *r = &b->report;

	if (r->njobs == RUNNER_JOBS_MAX)
		return;
	r->jobs[r->njobs].id = id;
	r->jobs[r->njobs].status = status;
	r->njobs++;
	r->ntried_again += status == RUNNER_ERROR;
}

const char *
runner_status_name(enum runner_status status)
{
	static const char *const names[] = {
		[RUNNER_SUCCESS] = "success",
		[RUNNER_ERROR] = "error",
		[RUNNER_ERROR_FINAL] = "error-reached-max-retries",
	};

	return names[status];
}
