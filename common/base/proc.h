/* Processes: what must be clean before a fork, an exec, a loop. */
#ifndef AFTERWORK_BASE_PROC_H
#define AFTERWORK_BASE_PROC_H

#include "common/base/err.h"

/* Every descriptor >= from becomes close-on-exec (strays of spawn-fcgi). */
void proc_cloexec_from(int from);

/* Async-signal-safe.  Every disposition to default, the mask empty. */
void proc_reset_signals(void);

/* Async-signal-safe.  Descriptor 0 and 1 become /dev/null; 2 too unless
 * keep_stderr; everything from 3 up is closed but those in keep[0..n). */
void proc_clean_fds(bool keep_stderr, const int *keep, size_t n);

/*
 * Who is root becomes the user that the folder belongs to, with that user's
 * groups, for good; anybody else stays who he is.  ERR_UNAVAILABLE: not
 * possible.
 */
bool proc_become_owner(const char *folder, struct err *e) MUSTCHECK;

enum { PROC_HANDED_FD = 3 }; /* where a detached program has what it is given */

/*
 * Start argv[0] detached, as after() needs it: two forks (that copy no memory,
 * so what the caller has costs nothing), setsid, clean
 * descriptors and signals, cwd kept, umask 077, exec.  Of the caller's
 * descriptors it has none but hand, as PROC_HANDED_FD (-1: none at all), and
 * standard error, if it is to log there; the caller's own stays with the
 * caller.  Returns when the first child is gone (well under a millisecond); the
 * grandchild belongs to init or the nearest subreaper and leaves no zombie
 * here.  envp and argv are borrowed.  Fails with ERR_UNAVAILABLE when fork or
 * exec fails; exec's errno comes back over a close-on-exec pipe, so a missing
 * binary is known. Safe while libpq and FastCGI connections are open: the child
 * only execs.
 */
bool proc_spawn_detached(const char *const argv[], char *const envp[], int hand,
    bool keep_stderr, struct err *e) MUSTCHECK;

#endif
