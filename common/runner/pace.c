#include "common/runner/pace.h"

#include "common/link/db.h"
#include "common/queue/claim.h"

void
pace_learn(struct pace *p, const char *task, int64_t took_us, bool linked)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->seen[i].task, task) == 0) {
			p->seen[i].mean_us +=
			    (took_us - p->seen[i].mean_us) / 8;
			p->seen[i].linked |= linked;
			return;
		}
	if (p->n == PACE_TASKS_MAX)
		return;
	(void)snprintf(p->seen[p->n].task, sizeof(p->seen[0].task), "%s", task);
	p->seen[p->n].linked = linked;
	p->seen[p->n++].mean_us = took_us;
}

/*
 * The claim may hold any mixture of fast tasks: the slowest of them counts.
 * While none is known every job is claimed alone, and to ask for more would
 * have the database lock a hundred rows for each, which others then pass by.
 */
int
pace_batch(const struct pace *p)
{
	int64_t slowest_us = 0;
	int most = CLAIM_MAX;
	bool any = false;

	for (size_t i = 0; i < p->n; i++) {
		if (p->seen[i].mean_us > PACE_FAST_US)
			continue;
		any = true;
		if (p->seen[i].mean_us > slowest_us)
			slowest_us = p->seen[i].mean_us;
		if (p->seen[i].linked)
			most = PACE_LINKED_MAX;
	}
	if (!any)
		return 1;
	if (slowest_us * most <= PACE_BATCH_US)
		return most;
	return (int)(PACE_BATCH_US / slowest_us);
}

void
pace_fast(const struct pace *p, struct buf *ret)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->seen[i].mean_us <= PACE_FAST_US)
			db_array_add(ret, p->seen[i].task);
	db_array_end(ret);
}
