/*
 * `afterwork cron --serve`: a scheduler for hosts and stacks without one.
 *
 * Each ping is a process of its own (this program with --ping), so that a
 * slow answer delays nobody, and the secret is read anew for each.  Pings of
 * one path may overlap, as Vercel's do; the runner's slots bound the work.
 */
#ifndef AFTERWORK_COMMAND_PINGER_H
#define AFTERWORK_COMMAND_PINGER_H

#include "deploy/command/vercel.h"

struct pinger {
	const struct vercel *vercel;
	const char *config; /* handed on as --config */
	const char *url;    /* handed on as --url */
};

/* Serve until SIGTERM or SIGINT; then end the pings under way.  False when
 * it could not begin. */
bool pinger_serve(const struct pinger *p, struct err *e) MUSTCHECK;

#endif
