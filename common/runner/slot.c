#include "common/runner/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/path.h"
#include "common/base/proc.h"
#include "common/link/conf.h"

enum {
	IDLE_BASE = 4096,
	START_AT = 8192,
	WAKE_BYTES = 4096,
};

/* What is in the file "wake".  answered never passes count; both go round. */
struct slots_wake {
	uint32_t count;
	uint32_t answered;
	int64_t claimed_us; /* the last claim, by the host's steady clock */
};

static bool
lock_byte(int fd, short type, off_t at)
{
	struct flock l = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1
	};

	return fcntl(fd, F_OFD_SETLK, &l) == 0;
}

/* Does somebody else hold a byte of [at, at + n)? */
static bool
is_locked(int fd, off_t at, off_t n)
{
	struct flock l = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = at,
		.l_len = n };

	return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

static bool
map_wake(struct slots_wake **ret, struct err *e)
{
	AUTO_FD fd = -1;
	void *p;

	if (!path_open_shared(conf_runtime_dir(), "wake", &fd, e))
		return false;
	/* Allocated, not only sized: a hole on a full disk would kill whoever
	 * writes to it.  Only ever grown, for the same reason. */
	errno = posix_fallocate(fd, 0, WAKE_BYTES);
	if (errno != 0)
		return err_errno(
		    e, ERR_UNAVAILABLE, "could not allocate the wake file");
	p = mmap(NULL, WAKE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return err_errno(
		    e, ERR_UNAVAILABLE, "could not map the wake file");
	*ret = p;
	return true;
}

bool
slots_open(struct slots *ret, struct err *e)
{
	struct slots s = { .fd = -1, .held = -1 };

	if (!conf_slots(&s.n, e) ||
	    !path_open_shared(conf_runtime_dir(), "slots", &s.fd, e))
		return false;
	if (!map_wake(&s.wake, e)) {
		fd_close(&s.fd);
		return false;
	}
	*ret = s;
	return true;
}

void
slots_close(struct slots *s)
{
	if (s->wake != NULL)
		(void)munmap(s->wake, WAKE_BYTES);
	fd_close(&s->fd);
	*s = (struct slots){ .fd = -1, .held = -1 };
}

bool
slots_take(struct slots *s)
{
	for (int i = 0; i < s->n; i++)
		if (lock_byte(s->fd, F_WRLCK, i)) {
			s->held = i;
			return true;
		}
	return false;
}

void
slots_give_back(struct slots *s)
{
	if (s->held >= 0)
		(void)lock_byte(s->fd, F_UNLCK, s->held);
	s->held = -1;
}

static bool
any_free(const struct slots *s)
{
	for (int i = 0; i < s->n; i++)
		if (i != s->held && !is_locked(s->fd, i, 1))
			return true;
	return false;
}

void
slots_idle(struct slots *s, int slot, bool idle)
{
	(void)lock_byte(s->fd, idle ? F_WRLCK : F_UNLCK, IDLE_BASE + slot);
}

bool
slots_begin_start(const struct slots *s, int *ret_mark, struct err *e)
{
	AUTO_FD fd = -1;

	*ret_mark = -1;
	if (is_locked(s->fd, START_AT, 1))
		return true;
	/* A description of its own, which outlives this process in the runner
	 * and ends with that. */
	if (!path_open_shared(conf_runtime_dir(), "slots", &fd, e))
		return false;
	if (!lock_byte(fd, F_WRLCK, START_AT))
		return true;
	*ret_mark = fd;
	fd = -1;
	return true;
}

void
slots_end_start(int mark)
{
	(void)lock_byte(mark, F_UNLCK, START_AT);
}

/* Is the descriptor that a detached program is handed another one of the file
 * of slots?  Started by hand it may have anything there. */
static bool
is_mark(const struct slots *s, int fd)
{
	struct stat given, own;

	return s->fd != fd && fstat(fd, &given) == 0 &&
	       fstat(s->fd, &own) == 0 && given.st_dev == own.st_dev &&
	       given.st_ino == own.st_ino;
}

void
slots_started(const struct slots *s)
{
	int mark = PROC_HANDED_FD;

	if (!is_mark(s, mark))
		return;
	/* Not by closing alone: a process that the waker forked at the wrong
	 * moment may have it open for longer. */
	slots_end_start(mark);
	fd_close(&mark);
}

uint32_t
slots_seen(const struct slots *s)
{
	/* The slot was given back by the kernel, not by a store of ours that
	 * the load below would be ordered with. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&s->wake->count, __ATOMIC_SEQ_CST);
}

void
slots_wake(struct slots *s)
{
	(void)__atomic_add_fetch(&s->wake->count, 1, __ATOMIC_SEQ_CST);
	(void)syscall(SYS_futex, &s->wake->count, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool
slots_call(struct slots *s)
{
	slots_wake(s);
	return !is_locked(s->fd, IDLE_BASE, s->n) && any_free(s) &&
	       !is_locked(s->fd, START_AT, 1);
}

void
slots_answer(struct slots *s, uint32_t seen)
{
	uint32_t was = __atomic_load_n(&s->wake->answered, __ATOMIC_SEQ_CST);

	while ((int32_t)(seen - was) > 0 &&
	       !__atomic_compare_exchange_n(&s->wake->answered, &was, seen,
		   false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

bool
slots_called(const struct slots *s, uint32_t *seen)
{
	uint32_t count = slots_seen(s), answered;

	if (count == *seen)
		return false;
	answered = __atomic_load_n(&s->wake->answered, __ATOMIC_SEQ_CST);
	if ((int32_t)(answered - count) < 0)
		return true;
	*seen = count;
	return false;
}

void
slots_claiming(struct slots *s)
{
	__atomic_store_n(
	    &s->wake->claimed_us, clock_mono_us(), __ATOMIC_SEQ_CST);
}

int64_t
slots_cooldown_us(const struct slots *s)
{
	int64_t ago_us = clock_mono_us() - __atomic_load_n(&s->wake->claimed_us,
					       __ATOMIC_SEQ_CST);

	/* The file may be older than the clock. */
	return ago_us < 0 || ago_us >= SLOTS_COOLDOWN_MS * 1000
		   ? 0
		   : SLOTS_COOLDOWN_MS * 1000 - ago_us;
}

void
slots_sleep(const struct slots *s, uint32_t seen, int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000,
		.tv_nsec = (ms % 1000) * 1000000 };

	(void)syscall(
	    SYS_futex, &s->wake->count, FUTEX_WAIT, seen, &t, NULL, 0);
}
