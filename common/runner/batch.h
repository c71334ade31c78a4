/*
 * One claim's jobs: run them, settle them, in one transaction with their work.
 */
#ifndef AFTERWORK_RUNNER_BATCH_H
#define AFTERWORK_RUNNER_BATCH_H

#include "common/base/buf.h"
#include "common/queue/settle.h"
#include "common/link/db.h"
#include "common/runner/board.h"
#include "common/runner/pace.h"
#include "common/runner/slot.h"
#include "common/runner/task.h"

enum {
	/* Of the worker's own statements, and of the session: the default
	 * task's timeout, which then costs no setting of its own. */
	WORKER_DEADLINE_MS = 30000,
	/* Tasks whose handler was not found here; of more, the newest. */
	WORKER_LACKS_MAX = 32,
	/* How long to try to report what an executable has done. */
	WORKER_REPORT_MS = 10000,
};

/* Everything a worker has at hand. */
struct worker {
	struct board *board;
	const struct runner_want *want;
	struct db *db;
	struct slots slots;
	int slot;         /* the guard's: whose idle mark to set */
	int call;         /* eventfd: the guard is to wake another */
	int halt;         /* eventfd: the guard's word is on the board */
	int64_t end_us;   /* steady clock: be gone by then */
	int64_t keep_ms;  /* RETENTION */
	struct buf tasks; /* array literal of what is compiled in */
	char lacks[WORKER_LACKS_MAX][JOB_TASK_MAX + 1];
	size_t nlacks; /* ever; the last WORKER_LACKS_MAX are in lacks */
	struct pace pace;
	struct claim claim;
	struct settlement done[CLAIM_MAX];

	bool (*stop)(const struct worker *w); /* must no job be started? */

	/* The next claim travels with the last settlement of a batch.  look()
	 * says what to ask for when n jobs more have ended, or NULL: not now,
	 * and with quiet: there is hardly anything, once they are settled. */
	const struct claim_want *(*look)(struct worker *w, size_t n);
	struct claim next;
	bool has_next;
	bool quiet;
	int64_t behind_until_us; /* before, claims may go on behind the last */
	uint32_t seen; /* wake counter just before the claim was asked for */
	uint32_t next_seen;

	/* of the batch that runs */
	struct db_tx tx;
	bool in_tx;
	bool in_savepoint; /* the handler that runs has used the link */
	size_t unsettled;  /* of executables: [unsettled, finished) ended */
	size_t finished;
	void (*slow)(struct worker *w); /* the one that runs is no quick one */
};

/* Note on the board what was claimed. */
void board_hold(struct worker *w, const struct claim *c);

/*
 * Run and settle w->claim, in the order of the claim.  A job that fails is
 * settled as its policy says.  With w->has_next the next claim came along.
 *
 * Executables run while no transaction is open, and are settled together with
 * the executables next to them; at the latest when one of them turns out not to
 * be quick, so that a result does not wait for another job.  A result that
 * cannot be told is told again, for WORKER_REPORT_MS: the work was done.
 *
 * Compiled-in handlers share a transaction.  When the transaction cannot
 * commit, or a job was no longer ours, everything is undone and each job gets a
 * transaction of its own.  False: the database is gone; the guard gives back
 * what is left on the board.
 */
bool batch_run(struct worker *w, struct err *e) MUSTCHECK;

#endif
