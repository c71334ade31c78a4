/*
 * How a job that runs hears that it must end: the guard asks the database.
 *
 * Nobody listens for that while jobs are short.  Once one has run for
 * HEED_AFTER_MS the guard opens a link of its own, asks about each
 * HEED_EVERY_MS whether the job was cancelled or its lease lost, and hands on
 * what the job said of its progress, at most once a second.  With the job the
 * link ends.
 */
#ifndef AFTERWORK_RUNNER_HEED_H
#define AFTERWORK_RUNNER_HEED_H

#include "common/queue/lease.h"
#include "common/runner/board.h"

enum {
	HEED_AFTER_MS = 300,
	HEED_EVERY_MS = 400,
	HEED_SAY_MS = 1000,      /* progress is written no more often */
	HEED_DEADLINE_MS = 1000, /* the guard has a clock to look at */
	HEED_PAUSE_MS = 3000,    /* after the database could not be asked */
};

struct heed {
	struct db *db;
	int64_t lease_no; /* of the job that is asked about; 0: none */
	bool told;        /* it was said once that it must end */
	int64_t next_us, say_us;
	uint32_t seen; /* progress */
};

/* Ask, if it is time to.  Anything but LEASE_GO_ON is said once, of the job
 * with h->lease_no. */
enum lease_word heed_look(struct heed *h, struct board *b);

/* Close the link; *h is as it was at first. */
void heed_end(struct heed *h);

#endif
