#include "common/http/version.h"

#include <string.h>

#include "common/link/db.h"
#include "common/parse/header.h"

static bool
is_star(const char *value)
{
	value += strspn(value, " \t");
	return *value == '*' && value[1 + strspn(value + 1, " \t")] == '\0';
}

/* The strong ones of the list, behind those in ret. */
static enum header_found
add_tags(const char *at, struct buf *ret)
{
	enum header_found found;
	const char *p = NULL;
	bool weak = false;
	size_t n = 0;

	while ((found = header_etag(&at, &weak, &p, &n)) == HEADER_FOUND) {
		AUTO_BUF tag = BUF_INIT;

		buf_add(&tag, p, n);
		if (!weak)
			db_array_add(ret, tag.data);
	}
	db_array_end(ret);
	return found;
}

static bool
bad_list(struct err *e)
{
	return err_fail(e, ERR_INVALID,
	    "If-Match is * or a list of entity tags, each in quotes.");
}

bool
version_wanted(
    const struct req *r, struct buf *ret, bool *ret_any, struct err *e)
{
	const char *value = req_header(r, "HTTP_IF_MATCH");

	*ret_any = value == NULL || is_star(value);
	if (!*ret_any && add_tags(value, ret) == HEADER_BAD)
		return bad_list(e);
	return *ret_any || buf_ok(ret, e);
}

bool
version_is_wanted(
    const struct req *r, const char *version, bool *ret, struct err *e)
{
	const char *at = req_header(r, "HTTP_IF_MATCH"), *p = NULL;
	enum header_found found = HEADER_ABSENT;
	bool wanted = at == NULL || is_star(at), weak = false;
	size_t n = 0;

	while (!wanted &&
	       (found = header_etag(&at, &weak, &p, &n)) == HEADER_FOUND)
		wanted =
		    !weak && strlen(version) == n && memcmp(version, p, n) == 0;
	if (found == HEADER_BAD)
		return bad_list(e);
	*ret = wanted;
	return true;
}

bool
version_show(struct res *res, const char *version, struct err *e)
{
	AUTO_BUF tag = BUF_INIT;

	buf_addc(&tag, '"');
	buf_adds(&tag, version);
	buf_addc(&tag, '"');
	return buf_ok(&tag, e) && res_header(res, "ETag", tag.data, e);
}
