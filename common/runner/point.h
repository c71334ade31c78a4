/*
 * Named points in a runner's life at which tests stop or kill it.  In the
 * product point() does nothing; the tests link their own (tests/tasks/).
 */
#ifndef AFTERWORK_RUNNER_POINT_H
#define AFTERWORK_RUNNER_POINT_H

void point(const char *name);

#endif
