#include "common/runner/board.h"

enum runner_status
board_status(enum settle_op op)
{
	switch (op) {
	case SETTLE_DONE:
		return RUNNER_SUCCESS;
	case SETTLE_FAILED:
	case SETTLE_PARK:
		return RUNNER_ERROR_FINAL;
	case SETTLE_RETRY:
	case SETTLE_RELEASE:
	case SETTLE_CRASH:
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
