#include "deploy/command/minute.h"

enum { MINUTE_MS = 60 * 1000 };

void
minute_init(struct minute *m, int64_t wall_ms, int64_t mono_ms)
{
	m->last = wall_ms / MINUTE_MS;
	m->acted_mono_ms = mono_ms - MINUTE_GAP_MS;
}

bool
minute_begun(
    struct minute *m, int64_t wall_ms, int64_t mono_ms, int64_t *ret_utc_s)
{
	int64_t now = wall_ms / MINUTE_MS;

	if (now == m->last || mono_ms - m->acted_mono_ms < MINUTE_GAP_MS)
		return false;
	m->last = now;
	m->acted_mono_ms = mono_ms;
	*ret_utc_s = now * 60;
	return true;
}

int64_t
minute_wait_ms(const struct minute *m, int64_t wall_ms, int64_t mono_ms)
{
	int64_t gap = m->acted_mono_ms + MINUTE_GAP_MS - mono_ms;

	if (wall_ms / MINUTE_MS != m->last)
		return gap > 1 ? gap : 1;
	return MINUTE_MS - wall_ms % MINUTE_MS;
}
