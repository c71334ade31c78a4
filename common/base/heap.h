/* The heap of a process that is about to become many. */
#ifndef AFTERWORK_BASE_HEAP_H
#define AFTERWORK_BASE_HEAP_H

/*
 * Call it once, before the forks.  What libraries freed while they started
 * lies in small pieces all over the heap, and malloc() would give children
 * those first: each would soon have written to, and so have for itself, every
 * page that all could share.  This takes the pieces for good, so that what
 * children allocate lies together behind them.
 */
void heap_fill(void);

#endif
