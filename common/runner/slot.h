/*
 * Slots: how many runners a host has, and how one is woken.  No database.
 *
 * Everything lives in two files of the runtime folder (conf_runtime_dir()),
 * shared by every function and runner of the host:
 *
 *   slots  open file description locks, so that the kernel takes back what a
 *          killed process held.  Byte i is locked while a runner holds slot
 *          i; byte IDLE_BASE + i while that runner waits for work; byte
 *          START_AT from when a waker sets out to start a runner until that
 *          has its slot, through a description that the one hands the other.
 *   wake   a counter in shared memory, and the futex that idle runners sleep
 *          on.  It is the mark that a wake-up leaves.
 *
 * Why no wake-up is lost.  A waker commits its job, then adds to the counter,
 * then looks for an idle runner, then for a free slot.  A runner reads the
 * counter, claims, and - when there was nothing - marks itself idle, then
 * sleeps while the counter stands, or what was added is answered by another
 * runner's claim, and claims again before it leaves.  Leaving, it takes the
 * idle mark away, looks at the counter, gives the slot back, and looks again.
 *
 *   - The waker saw the idle mark: it had added before the mark went, so the
 *     runner's next look finds the counter changed and it claims again, at once
 *     if the call is not answered, at the latest when it would leave.
 *   - The waker saw no idle runner and no free slot: each holder still has to
 *     give its slot back and look at the counter after that.
 *   - The waker saw a free slot: it starts a runner.  If another takes the
 *     slot first, that one claims after the waker's commit.
 *   - The waker saw that another one is just starting: that one claims after
 *     it has taken the mark of its start away.
 *
 * One that is killed on the way, waker or runner, takes along what was to be
 * run by it, but no more: its mark goes with it, and whoever wakes next starts
 * another.
 *
 * When an idle runner takes a job and leaves others waiting, it wakes the
 * next one itself (claim.more): two wakers may have seen the same idle mark.
 */
#ifndef AFTERWORK_RUNNER_SLOT_H
#define AFTERWORK_RUNNER_SLOT_H

#include "common/base/err.h"

struct slots {
	int fd;                  /* of the file "slots" */
	int n;                   /* RUNNER_SLOTS */
	struct slots_wake *wake; /* in shared memory */
	int held;                /* the slot held through fd, or -1 */
};

/* Opens (and at first makes) the two files.  The descriptors close on exec;
 * a fork shares the locks, so a child opens its own with slots_open(). */
bool slots_open(struct slots *ret, struct err *e) MUSTCHECK;
void slots_close(struct slots *s); /* gives the slot back, too */

/* Take a free slot; false when there is none.  Never waits. */
bool slots_take(struct slots *s);
void slots_give_back(struct slots *s);

/* Mark the runner of this slot as waiting, or not. */
void slots_idle(struct slots *s, int slot, bool idle);

/*
 * Mark that a runner is being started, unless one is.  Many wakers see a slot
 * free while one runner starts; without the mark each would start one more, for
 * nothing.  *ret_mark is a descriptor, given: the mark stands while it is open
 * anywhere, so hand it to the runner (proc_spawn_detached) and close it.  -1:
 * another one is starting.
 */
bool slots_begin_start(
    const struct slots *s, int *ret_mark, struct err *e) MUSTCHECK;
/* No runner was started: take the mark away, whoever has it open, too. */
void slots_end_start(int mark);
/* In the runner that was started, before its first claim: take away the mark
 * that it was handed, and close it.  One that was handed none goes on. */
void slots_started(const struct slots *s);

/* The counter; add to it and wake one sleeper.  slots_call() tells besides if
 * a runner is to be started for the call: none waits for work, a slot is free,
 * and nobody is at it. */
uint32_t slots_seen(const struct slots *s);
void slots_wake(struct slots *s);
bool slots_call(struct slots *s);

/*
 * A claim has left nothing that is ready, in any queue, by one who had read
 * the counter as seen before he asked: who called up to then is answered, and
 * no other runner needs to look on his account.  It saves claims that find
 * nothing.  Whoever leaves goes by the counter alone.
 */
void slots_answer(struct slots *s, uint32_t seen);
/* Has anybody called since *seen who is not answered?  If not, *seen becomes
 * the counter. */
bool slots_called(const struct slots *s, uint32_t *seen);

/*
 * A claim is about to be made.  A call that comes within SLOTS_COOLDOWN_MS of
 * one, anybody's on this host, is better left alone for the rest of these, and
 * is then mostly answered, or is so together with others: a claim costs more
 * than the jobs that it finds.  For how many microseconds?  (Compare Oban's
 * dispatch_cooldown, River's FetchCooldown.)
 */
enum { SLOTS_COOLDOWN_MS = 10 };
void slots_claiming(struct slots *s);
int64_t slots_cooldown_us(const struct slots *s);

/* Sleep until the counter is no longer seen, or for at most ms. */
void slots_sleep(const struct slots *s, uint32_t seen, int64_t ms);

#endif
