#include "common/site/gate.h"

#include <fcntl.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/path.h"
#include "common/link/conf.h"

enum { LOOK_AGAIN_MS = 10 };

static bool
take_place(int fd)
{
	struct flock l = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1
	};

	for (l.l_start = 0; l.l_start < GATE_PLACES; l.l_start++)
		if (fcntl(fd, F_OFD_SETLK, &l) == 0)
			return true;
	return false;
}

/* No lock can be waited for with a time limit, nor one of two. */
static bool
wait_for_place(int fd)
{
	const struct timespec pause = { .tv_nsec = LOOK_AGAIN_MS * 1000000L };
	int64_t end_ms = clock_mono_ms() + GATE_WAIT_MS;

	while (!take_place(fd)) {
		if (clock_mono_ms() >= end_ms)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

/* The file is opened each time: a descriptor that was inherited would share
 * its locks with the process it came from. */
bool
gate_enter(struct gate *g, struct err *e)
{
	AUTO_FD fd = -1;

	if (!path_open_shared(conf_runtime_dir(), "passwords", &fd, e))
		return false;
	if (!wait_for_place(fd))
		return err_fail(e, ERR_UNAVAILABLE,
		    "%d passwords are being hashed already", GATE_PLACES);
	g->fd = fd;
	fd = -1;
	return true;
}

void
gate_leave(struct gate *g)
{
	fd_close(&g->fd);
}
