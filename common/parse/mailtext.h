/*
 * What goes into the head of a mail: addresses and words.  Pure.
 *
 * Nothing that is made here holds a line end but the fold "\r\n " of a long
 * header, so that a text from outside can't begin a header of its own.
 */
#ifndef AFTERWORK_PARSE_MAILTEXT_H
#define AFTERWORK_PARSE_MAILTEXT_H

#include "common/base/buf.h"

enum {
	MAILTEXT_ADDRESS_MAX = 254, /* bytes, as RFC 5321 has it */
	MAILTEXT_NAME_MAX = 200,    /* bytes */
};

struct mailtext_address {
	char address[MAILTEXT_ADDRESS_MAX + 1]; /* "ana@example.com" */
	char name[MAILTEXT_NAME_MAX + 1];       /* "" without one */
};

/* "ana@example.com" or "Ana Žagar <ana@example.com>".  The address is ASCII:
 * atoms and dots, no quoted or internationalised ones.  ERR_INVALID. */
bool mailtext_parse(
    const char *text, struct mailtext_address *ret, struct err *e) MUSTCHECK;

/* Valid UTF-8 of one line without control characters? */
bool mailtext_is_line(const char *text);

/* Append a line of text as a header has it: as it is, or where it is long or
 * not plain ASCII as encoded words (RFC 2047), folded. */
void mailtext_add(struct buf *b, const char *text);

/* Append "ana@example.com" or "name <ana@example.com>". */
void mailtext_add_address(struct buf *b, const struct mailtext_address *a);

#endif
