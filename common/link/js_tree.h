/*
 * JSON text as a tree of values (common/parse/tree.h), for what may be said
 * in a query string both by brackets and as JSON.
 */
#ifndef AFTERWORK_LINK_JS_TREE_H
#define AFTERWORK_LINK_JS_TREE_H

#include "common/parse/tree.h"

/* Parse n bytes; the root is called name.  ERR_INVALID with the name in
 * err.field: not JSON as link/js takes it, or beyond the tree's bounds. */
bool js_tree(const char *name, const char *p, size_t n, struct tree *ret,
    struct err *e) MUSTCHECK;

#endif
