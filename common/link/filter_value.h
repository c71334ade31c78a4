/* Values of a filter's conditions, checked by type.  Part of link/filter. */
#ifndef AFTERWORK_LINK_FILTER_VALUE_H
#define AFTERWORK_LINK_FILTER_VALUE_H

#include "common/link/filter.h"

/* Is the value null, in one of the ways that it can be said? */
bool filter_value_null(
    const struct filter_field *field, const struct tree_node *value);

/* One scalar as an argument: appended as text with its NUL. */
bool filter_value(const struct filter_field *field,
    const struct tree_node *value, struct buf *args, struct err *e) MUSTCHECK;

/* A list, or texts with commas between, as an array literal. */
bool filter_values(const struct filter_field *field,
    const struct tree_node *value, struct buf *args, struct err *e) MUSTCHECK;

/* true or false. */
bool filter_truth(const struct filter_field *field,
    const struct tree_node *value, bool *ret, struct err *e) MUSTCHECK;

/* Patterns of ILIKE: one for each word, as an array; or one for the whole. */
bool filter_words(const struct filter_field *field,
    const struct tree_node *value, struct buf *args, struct err *e) MUSTCHECK;
bool filter_pattern(const struct filter_field *field,
    const struct tree_node *value, struct buf *args, struct err *e) MUSTCHECK;

#endif
