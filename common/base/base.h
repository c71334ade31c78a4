/*
 * The words every other file uses: attributes, cleanup, array length.
 * Includes base/banned.h, so that unsafe libc calls do not compile.
 */
#ifndef AFTERWORK_BASE_BASE_H
#define AFTERWORK_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The caller must look at the result; (void) marks a deliberate exception. */
#define MUSTCHECK          __attribute__((warn_unused_result))
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define NORETURN           __attribute__((noreturn))
#define UNUSED             __attribute__((unused))

/* Runs fn(&variable) when the variable leaves its scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* Elements of an array (never of a pointer). */
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Value of a compile-time number as a string literal, for SQL and messages. */
#define STR_(x) #x
#define STR(x)  STR_(x)

#include "common/base/banned.h"

#endif
