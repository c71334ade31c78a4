/*
 * vercel.json: the scheduler's one configuration, as far as it is ours.
 *
 * crons: at most 100 of {path, schedule}; path 1 to 512 bytes that begin with
 * '/', schedule five fields in UTC.  functions: at most 50 of
 * "glob": {maxDuration}, 1 to 1800 seconds or "max".  Other keys at the top
 * and of a function are Vercel's own and are let through.
 */
#ifndef AFTERWORK_COMMAND_VERCEL_H
#define AFTERWORK_COMMAND_VERCEL_H

#include "common/parse/cronexpr.h"

struct json_object;

enum {
	VERCEL_FILE_MAX = 256 * 1024,
	VERCEL_CRONS_MAX = 100,
	VERCEL_FUNCTIONS_MAX = 50,
	VERCEL_DURATION_S = 300, /* when nothing is said */
	VERCEL_DURATION_MAX_S = 1800,
};

/* The runner's source file, as "functions" names it. */
#define VERCEL_RUNNER "functions/run.c"

struct vercel_cron {
	const char *path; /* borrowed from source, as is schedule */
	const char *schedule;
	struct cronexpr expr;
};

struct vercel_function {
	const char *glob;
	int64_t max_duration_s;
};

struct vercel {
	struct json_object *source;
	struct vercel_cron crons[VERCEL_CRONS_MAX];
	size_t ncrons;
	struct vercel_function functions[VERCEL_FUNCTIONS_MAX];
	size_t nfunctions;
};

/* Parse n bytes.  *ret is given to the caller, who ends it with
 * vercel_release().  ERR_INVALID: line, entry and what is wrong. */
bool vercel_parse(
    const char *p, size_t n, struct vercel *ret, struct err *e) MUSTCHECK;

/* The same of a file, named in the error. */
bool vercel_load(const char *path, struct vercel *ret, struct err *e) MUSTCHECK;

void vercel_release(struct vercel *v);
#define AUTO_VERCEL CLEANUP(vercel_release) struct vercel

/* How long the function of this source file ("functions/run.c") may take, in
 * seconds: the first glob that fits it, else VERCEL_DURATION_S. */
int64_t vercel_duration_s(const struct vercel *v, const char *file);

#endif
