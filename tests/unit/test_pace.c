/* What a worker learns of its tasks, and how many jobs it then claims. */
#include "common/queue/claim.h"
#include "common/runner/pace.h"

#include "tests/unit/tap.h"

/* What is learned in turn, and what follows. */
static const struct {
	const char *what;
	struct {
		const char *task;
		int64_t took_us;
		int times;
	} learn[4];
	int batch;
	const char *fast;
} cases[] = {
	{ "nothing is known", { { NULL, 0, 0 } }, 1, "{}" },
	{ "a task of no time", { { "a", 0, 1 } }, CLAIM_MAX, "{\"a\"}" },
	{ "2 ms: a hundred fit", { { "a", 2000, 1 } }, CLAIM_MAX, "{\"a\"}" },
	{ "2.001 ms: one less", { { "a", 2001, 1 } }, 99, "{\"a\"}" },
	{ "10 ms", { { "a", 10000, 1 } }, 20, "{\"a\"}" },
	{ "50 ms is just fast", { { "a", PACE_FAST_US, 1 } }, 4, "{\"a\"}" },
	{ "50.001 ms is slow", { { "a", PACE_FAST_US + 1, 1 } }, 1, "{}" },
	{ "a minute", { { "a", 60000000, 1 } }, 1, "{}" },
	{ "the slowest of the fast counts",
	    { { "a", 100, 1 }, { "b", 20000, 1 }, { "c", 3000, 1 } }, 10,
	    "{\"a\",\"b\",\"c\"}" },
	{ "a slow one does not", { { "a", 20000, 1 }, { "b", 900000, 1 } }, 10,
	    "{\"a\"}" },
	{ "one slow run of a fast task",
	    { { "a", 1000, 1 }, { "a", 81000, 1 } }, 18, "{\"a\"}" },
	{ "two of them", { { "a", 1000, 1 }, { "a", 400000, 2 } }, 1, "{}" },
	{ "a slow task that became fast",
	    { { "a", 1000000, 1 }, { "a", 0, 40 } }, 41, "{\"a\"}" },
	{ "names that need quoting",
	    { { "a-b_c", 1, 1 }, { "say \"hi\"\\", 1, 1 } }, CLAIM_MAX,
	    "{\"a-b_c\",\"say \\\"hi\\\"\\\\\"}" },
};

static void
check(size_t i)
{
	struct pace p = { .n = 0 };
	AUTO_BUF fast = BUF_INIT;
	struct err e;

	for (size_t k = 0; k < LEN(cases[i].learn); k++)
		for (int n = 0; n < cases[i].learn[k].times; n++)
			pace_learn(&p, cases[i].learn[k].task,
			    cases[i].learn[k].took_us, false);
	is_int(pace_batch(&p), cases[i].batch, "%s: batch", cases[i].what);
	pace_fast(&p, &fast);
	ok(buf_ok(&fast, &e), "%s: there is a list", cases[i].what);
	is_text(fast.data, cases[i].fast, "%s: fast", cases[i].what);
}

/* As many tasks as there is room for; the others stay slow. */
static void
full(void)
{
	struct pace p = { .n = 0 };
	AUTO_BUF fast = BUF_INIT;
	char name[16];

	for (int i = 0; i < PACE_TASKS_MAX + 5; i++) {
		(void)snprintf(name, sizeof(name), "task%d", i);
		pace_learn(&p, name, 1, false);
	}
	is_int((int64_t)p.n, PACE_TASKS_MAX, "so many are remembered");
	pace_fast(&p, &fast);
	ok(strstr(fast.data, "\"task63\"") != NULL, "the last that has room");
	ok(strstr(fast.data, "\"task64\"") == NULL, "the next stays slow");
	pace_learn(&p, "task0", 80 * PACE_FAST_US, false);
	buf_clear(&fast);
	pace_fast(&p, &fast);
	ok(strstr(fast.data, "\"task0\"") == NULL,
	    "those remembered are learned on");
}

/* The longest slug there is, told apart from one that only begins like it. */
static void
long_names(void)
{
	struct pace p = { .n = 0 };
	char one[JOB_TASK_MAX + 1], other[JOB_TASK_MAX + 1];

	memset(one, 'x', JOB_TASK_MAX);
	one[JOB_TASK_MAX] = '\0';
	memcpy(other, one, sizeof(other));
	other[JOB_TASK_MAX - 1] = 'y';
	pace_learn(&p, one, 1, false);
	pace_learn(&p, other, 1, false);
	pace_learn(&p, one, 1, false);
	is_int((int64_t)p.n, 2, "slugs of %d characters", JOB_TASK_MAX);
}

/* Handlers that use the link share fewer savepoints. */
static void
linked(void)
{
	struct pace p = { .n = 0 };

	pace_learn(&p, "plain", 1, false);
	is_int(pace_batch(&p), CLAIM_MAX, "no link, no limit but the claim's");
	pace_learn(&p, "linked", 1, true);
	is_int(pace_batch(&p), PACE_LINKED_MAX, "one that uses it limits all");
	for (int i = 0; i < 200; i++)
		pace_learn(&p, "linked", 2 * PACE_FAST_US, true);
	is_int(pace_batch(&p), CLAIM_MAX, "unless it is slow, and so alone");
}

/* Whatever a clock says, a claim is 1 to CLAIM_MAX jobs. */
static void
bounds(void)
{
	bool good = true;

	for (int64_t us = -5; us <= PACE_FAST_US + 5; us++) {
		struct pace p = { .n = 0 };

		pace_learn(&p, "a", us, false);
		good =
		    good && pace_batch(&p) >= 1 && pace_batch(&p) <= CLAIM_MAX;
	}
	ok(good, "every batch is 1 to %d jobs", CLAIM_MAX);
}

int
main(void)
{
	for (size_t i = 0; i < LEN(cases); i++)
		check(i);
	full();
	long_names();
	linked();
	bounds();
	return done();
}
