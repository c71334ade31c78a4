/*
 * A few processes that share one start.
 *
 * The caller forks n children that each run serve(); what it loaded before
 * (relocations, tables) they share.  It never serves and must hold no
 * database link.  A child that ends is replaced, at most
 * PREFORK_STARTS_PER_S times a second in all however fast children die, and
 * for ever.  TERM, INT or USR1 to the master sends TERM to the children and
 * waits until they are gone.  Children of a master that died get TERM.
 */
#ifndef AFTERWORK_HTTP_PREFORK_H
#define AFTERWORK_HTTP_PREFORK_H

#include "common/base/base.h"

enum {
	PREFORK_CHILDREN_MAX = 256,
	PREFORK_STARTS_PER_S = 10,
	/* serve() had nothing to do for long: the place stays empty until
	 * another child ends for another reason, which shows that there is
	 * work.  With all places empty the master ends. */
	PREFORK_IDLE = 100,
};

/* n: 1..PREFORK_CHILDREN_MAX.  serve's result is the child's exit status.
 * Returns the master's. */
int prefork_run(int n, int (*serve)(void *ctx), void *ctx);

#endif
