/* The heap of a process that serves, perhaps as one of many. */
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

/*
 * From now on what is freed is kept, up to some megabytes, for who allocates
 * next.  malloc() would give it back to the kernel at the end of each request,
 * and to have its pages again for the next one can cost more than the request.
 */
void heap_keep(void);

/* Give back what is free: nobody will want it soon. */
void heap_rest(void);

#endif
