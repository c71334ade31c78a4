/*
 * select where the database made the document whole: the fields that the
 * client asked for are picked from its text.
 */
#ifndef AFTERWORK_HTTP_SELECT_H
#define AFTERWORK_HTTP_SELECT_H

#include "common/base/buf.h"

struct filter;

/* Leave of doc, a JSON object, what list_select() has read into select: all of
 * it when nothing was selected. */
bool select_doc(
    const struct filter *select, struct buf *doc, struct err *e) MUSTCHECK;

#endif
