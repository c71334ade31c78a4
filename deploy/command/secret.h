/* What makes a secret of the scheduler's count. */
#ifndef AFTERWORK_COMMAND_SECRET_H
#define AFTERWORK_COMMAND_SECRET_H

/* Why it does not count, to follow its name in a sentence; NULL when it does.
 * Static storage. */
const char *secret_fault(const char *secret);

#endif
