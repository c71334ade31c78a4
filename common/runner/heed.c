#include "common/runner/heed.h"

#include "common/base/clock.h"
#include "common/link/conf.h"
#include "common/link/db.h"

void
heed_end(struct heed *h)
{
	db_free(h->db);
	*h = (struct heed){ 0 };
}

/* The job that has run for long enough; -1: none. */
static int
find_job(struct heed *h, struct board *b, int64_t now)
{
	int i = atomic_load(&b->current);

	if (i < 0 || now - atomic_load(&b->started_us) < HEED_AFTER_MS * 1000)
		return -1;
	if (h->lease_no != b->jobs[i].lease_no) {
		heed_end(h);
		h->lease_no = b->jobs[i].lease_no;
		h->db = db_new(conf_database_url("run"), conf_pooled(), "run");
		db_deadline(h->db, HEED_DEADLINE_MS);
	}
	return i;
}

static bool
ask(struct heed *h, struct board *b, int i, int64_t now, enum lease_word *ret)
{
	char progress[BOARD_PROGRESS_MAX];
	bool say =
	    now >= h->say_us && board_said(b, h->lease_no, &h->seen, progress);
	struct err e;

	if (say)
		h->say_us = now + HEED_SAY_MS * 1000;
	return lease_heed(h->db, b->queue, b->jobs[i].id, h->lease_no,
	    say ? progress : NULL, ret, &e);
}

enum lease_word
heed_look(struct heed *h, struct board *b)
{
	enum lease_word word = LEASE_GO_ON;
	int64_t now = clock_mono_us();
	int i = find_job(h, b, now);

	if (i < 0) {
		if (h->db != NULL)
			heed_end(h);
		return LEASE_GO_ON;
	}
	if (h->told || now < h->next_us)
		return LEASE_GO_ON;
	h->next_us = now + HEED_EVERY_MS * 1000;
	if (!ask(h, b, i, now, &word))
		h->next_us = now + HEED_PAUSE_MS * 1000;
	h->told = word != LEASE_GO_ON;
	return word;
}
