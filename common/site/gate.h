/*
 * The gate before passwords: how many are hashed at a time on this host.
 *
 * argon2id takes 46 MiB for about 30 ms.  With a place for each process a
 * flood of logins would take half of a small server; here two processes are
 * through the gate at a time, whatever their number, so it is 92 MiB.  The
 * others wait, for at most five seconds.
 *
 * Places are bytes of the file "passwords" in the runtime folder, locked by
 * open file description: the kernel takes back what a killed process held.
 */
#ifndef AFTERWORK_SITE_GATE_H
#define AFTERWORK_SITE_GATE_H

#include "common/base/err.h"

enum { GATE_PLACES = 2, GATE_WAIT_MS = 5000 };

struct gate {
	int fd; /* -1: outside */
};

#define GATE_INIT  \
	{          \
		-1 \
	}
#define AUTO_GATE CLEANUP(gate_leave) struct gate

/* ERR_UNAVAILABLE when no place came free in time. */
bool gate_enter(struct gate *g, struct err *e) MUSTCHECK;
void gate_leave(struct gate *g);

#endif
