/* The counter of calls, who has been answered, and for which one a runner is to
 * be started. */
#include "common/runner/slot.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/tap.h"

static char folder[] = "/tmp/test_slot.XXXXXX";

/* What the file "wake" holds, as if so many had called before; a claim is yet
 * to come by this host's clock. */
static void
set_numbers(uint32_t n)
{
	char path[sizeof(folder) + 8];
	struct {
		uint32_t count, answered;
		int64_t claimed_us;
	} * numbers;
	int fd;

	snprintf(path, sizeof(path), "%s/wake", folder);
	fd = open(path, O_RDWR | O_CLOEXEC);
	numbers = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!ok(numbers != MAP_FAILED, "the numbers can be set to %" PRIu32, n))
		exit(1);
	numbers->count = numbers->answered = n;
	numbers->claimed_us = INT64_MAX / 2;
	(void)munmap(numbers, 4096);
	(void)close(fd);
}

static void
from(uint32_t n)
{
	struct slots a = { .fd = -1 }, b = { .fd = -1 };
	uint32_t seen, mine;
	struct err e;

	if (!ok(slots_open(&a, &e) && slots_open(&b, &e), "two open them"))
		exit(1);
	set_numbers(n);
	seen = mine = slots_seen(&a);
	is_int(seen, n, "the counter");
	ok(!slots_called(&a, &seen) && seen == n, "nobody has called");
	slots_wake(&b);
	is_int(slots_seen(&a), (uint32_t)(n + 1), "a call is counted");
	ok(slots_called(&a, &seen) && seen == n, "somebody has called");
	is_int(slots_cooldown_us(&a), 0, "no claim was made of late");
	slots_claiming(&b);
	ok(slots_called(&a, &seen), "who asks has not answered yet");
	slots_answer(&b, slots_seen(&b));
	ok(slots_cooldown_us(&a) > 0 &&
		slots_cooldown_us(&a) <= SLOTS_COOLDOWN_MS * 1000,
	    "the next is better made a little later");
	(void)usleep(SLOTS_COOLDOWN_MS * 1000);
	is_int(slots_cooldown_us(&a), 0, "but not for long");
	ok(!slots_called(&a, &seen), "another one answers");
	is_int(seen, (uint32_t)(n + 1), "and that is all so far");
	ok(slots_seen(&a) != mine, "who leaves sees that there was a call");
	slots_wake(&b);
	slots_wake(&b);
	slots_answer(&b, n + 2);
	ok(slots_called(&a, &seen), "of two calls one is answered");
	slots_answer(&a, n + 3);
	slots_answer(&b, n + 1);
	ok(!slots_called(&a, &seen), "a late answer takes none back");
	is_int(seen, (uint32_t)(n + 3), "the counter at last");
	slots_close(&a);
	slots_close(&b);
}

/* Two slots, of which held are taken by others. */
static void
calls(int held, bool idle, bool starting, bool want)
{
	struct slots caller = { .fd = -1 },
		     holders[2] = { { .fd = -1 }, { .fd = -1 } };
	uint32_t before;
	int mark = -1;
	struct err e;

	if (!ok(slots_open(&caller, &e), "a caller"))
		exit(1);
	for (int i = 0; i < held; i++)
		ok(slots_open(&holders[i], &e) && slots_take(&holders[i]),
		    "holder %d of a slot", i);
	if (idle)
		slots_idle(&holders[0], holders[0].held, true);
	if (starting)
		ok(slots_begin_start(&caller, &mark, &e) && mark >= 0,
		    "a runner that is being started");
	before = slots_seen(&caller);
	is_int(slots_call(&caller), want, "%s is to be started",
	    want ? "a runner" : "none");
	is_int(slots_seen(&caller), before + 1, "and the call is counted");
	if (mark >= 0)
		(void)close(mark);
	for (int i = 0; i < held; i++)
		slots_close(&holders[i]);
	slots_close(&caller);
}

int
main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	setenv("RUNTIME_DIRECTORY", folder, 1);
	setenv("RUNNER_SLOTS", "2", 1);
	calls(0, false, false, true);
	calls(1, false, false, true);
	calls(2, false, false, false);
	calls(1, true, false, false);
	calls(2, true, false, false);
	calls(0, false, true, false);
	from(0);
	from(7);
	from(UINT32_MAX - 1);
	from(UINT32_MAX / 2);
	return done();
}
