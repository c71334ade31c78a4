/* Header values: credentials, cookies, media types and their parameters. */
#include "common/parse/header.h"

#include <strings.h>

#define OWS " \t"

/* One ";name=value" of a header value, borrowed from it. */
struct parameter {
	const char *name;
	size_t name_n;
	const char *value; /* of a quoted one: what the quotes hold, as sent */
	size_t value_n;
	bool quoted;
};

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

size_t
header_token(const char *s)
{
	size_t n = 0;

	while (is_alnum(s[n]) ||
	       (s[n] != '\0' && strchr("!#$%&'*+-.^_`|~", s[n]) != NULL))
		n++;
	return n;
}

bool
header_scheme(
    const char *value, const char *scheme, const char **ret_rest, size_t *ret_n)
{
	size_t n = strlen(scheme), spaces;

	if (value == NULL || strncasecmp(value, scheme, n) != 0)
		return false;
	spaces = strspn(value + n, " ");
	if (spaces == 0 || value[n + spaces] == '\0')
		return false;
	*ret_rest = value + n + spaces;
	*ret_n = strlen(*ret_rest);
	return true;
}

bool
header_token68(const char *p, size_t n, size_t max)
{
	size_t i = 0;

	if (n == 0 || n > max)
		return false;
	while (i < n && (is_alnum(p[i]) ||
			    (p[i] != '\0' && strchr("-._~+/", p[i]) != NULL)))
		i++;
	if (i == 0)
		return false;
	while (i < n && p[i] == '=')
		i++;
	return i == n;
}

bool
header_cookie(
    const char *value, const char *name, const char **ret, size_t *ret_n)
{
	size_t name_n = strlen(name), found_n = 0, n;
	const char *found = NULL;

	for (const char *p = value; p != NULL && *p != '\0'; p += n) {
		p += strspn(p, ";" OWS);
		n = strcspn(p, ";");
		if (n <= name_n || strncmp(p, name, name_n) != 0 ||
		    p[name_n] != '=')
			continue;
		if (found != NULL)
			return false;
		found = p + name_n + 1;
		found_n = n - name_n - 1;
	}
	if (found == NULL)
		return false;
	while (found_n > 0 && strchr(OWS, found[found_n - 1]) != NULL)
		found_n--;
	*ret = found;
	*ret_n = found_n;
	return true;
}

/* The bytes of a quoted string behind its first quote; false without a last
 * quote. */
static bool
quoted_length(const char *s, size_t *ret)
{
	size_t n = 0;

	for (; s[n] != '"'; n++) {
		if (s[n] == '\\')
			n++;
		if (s[n] == '\0')
			return false;
	}
	*ret = n;
	return true;
}

/* "name=value" at *pp, which then stands behind it. */
static bool
read_parameter(const char **pp, struct parameter *ret)
{
	const char *s = *pp;

	ret->name = s;
	ret->name_n = header_token(s);
	s += ret->name_n;
	if (ret->name_n == 0 || *s++ != '=')
		return false;
	ret->quoted = *s == '"';
	if (!ret->quoted) {
		ret->value = s;
		ret->value_n = header_token(s);
		*pp = s + ret->value_n;
		return ret->value_n > 0;
	}
	ret->value = ++s;
	if (!quoted_length(s, &ret->value_n))
		return false;
	*pp = s + ret->value_n + 1;
	return true;
}

/* The next parameter, *pp at a ';', at space before one or at the end;
 * empty ones (";;") do not count. */
static enum header_found
next_parameter(const char **pp, struct parameter *ret)
{
	const char *s = *pp + strspn(*pp, OWS);

	if (*s != '\0' && *s != ';')
		return HEADER_BAD;
	s += strspn(s, ";" OWS);
	*pp = s;
	if (*s == '\0')
		return HEADER_ABSENT;
	return read_parameter(pp, ret) ? HEADER_FOUND : HEADER_BAD;
}

/* The value without its escapes, to ret unless that is NULL; its length. */
static size_t
unquote(const struct parameter *a, bool form, char *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < a->value_n; i++, n++) {
		if (a->quoted && a->value[i] == '\\' &&
		    (!form || strchr("\"\\", a->value[i + 1]) != NULL))
			i++;
		if (ret != NULL)
			ret[n] = a->value[i];
	}
	return n;
}

static enum header_found
find_parameter(
    const char *value, const char *name, bool form, char *ret, size_t max)
{
	const char *p = value == NULL ? "" : value + strcspn(value, ";");
	struct parameter a, found = { .name = NULL };
	enum header_found more;
	size_t name_n = strlen(name);

	while ((more = next_parameter(&p, &a)) == HEADER_FOUND) {
		if (a.name_n != name_n ||
		    strncasecmp(a.name, name, name_n) != 0)
			continue;
		if (found.name != NULL)
			return HEADER_BAD;
		found = a;
	}
	if (more == HEADER_BAD || found.name == NULL)
		return more;
	if (unquote(&found, form, NULL) >= max)
		return HEADER_BAD;
	ret[unquote(&found, form, ret)] = '\0';
	return HEADER_FOUND;
}

bool
header_parameter(const char *value, const char *name, char *ret, size_t max)
{
	return find_parameter(value, name, false, ret, max) == HEADER_FOUND;
}

enum header_found
header_form_parameter(
    const char *value, const char *name, char *ret, size_t max)
{
	return find_parameter(value, name, true, ret, max);
}

enum header_found
header_etag(const char **at, bool *ret_weak, const char **ret, size_t *ret_n)
{
	const char *s = *at + strspn(*at, OWS ",");
	bool weak = s[0] == 'W' && s[1] == '/';
	size_t n = 0;

	if (*s == '\0')
		return HEADER_ABSENT;
	if (weak)
		s += 2;
	if (*s++ != '"')
		return HEADER_BAD;
	while (s[n] != '\0' && s[n] != '"' && s[n] != ' ' && s[n] != '\t')
		n++;
	if (s[n] != '"')
		return HEADER_BAD;
	*ret_weak = weak;
	*ret = s;
	*ret_n = n;
	s += n + 1;
	if (s[strspn(s, OWS)] != ',' && s[strspn(s, OWS)] != '\0')
		return HEADER_BAD;
	*at = s;
	return HEADER_FOUND;
}

bool
header_media_type(const char *value, char *ret, size_t max)
{
	const char *s;
	size_t type, sub, n;

	if (value == NULL)
		return false;
	s = value + strspn(value, OWS);
	type = header_token(s);
	if (type == 0 || s[type] != '/')
		return false;
	sub = header_token(s + type + 1);
	n = type + 1 + sub;
	if (sub == 0 || n >= max || strchr(OWS ";", s[n]) == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		ret[i] = lower(s[i]);
	ret[n] = '\0';
	return true;
}
