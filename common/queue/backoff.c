#include "common/queue/backoff.h"

int64_t
backoff_ms(const struct backoff *b, int attempt, uint32_t random)
{
	int64_t wait = b->delay_ms;

	for (int i = 1; b->exponential && i < attempt && wait < b->max_ms; i++)
		if (__builtin_mul_overflow(wait, 2, &wait) || wait == 0)
			break;
	if (wait > b->max_ms || wait < 0)
		wait = b->max_ms;
	if (b->jitter)
		wait -= (int64_t)((double)(wait / 2) * random / UINT32_MAX);
	return wait;
}
