/* How long a failed job waits for its next try: pure arithmetic. */
#ifndef AFTERWORK_QUEUE_BACKOFF_H
#define AFTERWORK_QUEUE_BACKOFF_H

#include "common/base/base.h"

struct backoff {
	bool exponential; /* else the same delay each time */
	bool jitter;
	int64_t delay_ms; /* before the first retry */
	int64_t max_ms;   /* no wait is longer */
};

/*
 * Milliseconds before the retry that follows execution number attempt (from
 * 1): delay, 2 delay, 4 delay… up to max.  With jitter the wait is spread
 * evenly over its upper half by random, any number ("equal jitter": jobs that
 * failed together do not come back together, and none at once).
 */
int64_t backoff_ms(const struct backoff *b, int attempt, uint32_t random);

#endif
