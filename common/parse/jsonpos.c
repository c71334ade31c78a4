#include "common/parse/jsonpos.h"

enum {
	DEPTH_MAX = 64,
	PATH_MAX_BYTES = 512, /* a longer path is nobody's question */
};

struct walk {
	const char *at, *end;
	int line; /* of at */
	int depth;
	const char *want; /* path looked for */
	int found;
	size_t path_n; /* may be over the room: then nothing matches */
	char path[PATH_MAX_BYTES];
};

static bool value(struct walk *w);

static void
skip_space(struct walk *w)
{
	for (; w->at < w->end; w->at++) {
		if (*w->at == '\n')
			w->line++;
		else if (*w->at != ' ' && *w->at != '\t' && *w->at != '\r')
			return;
	}
}

static bool
is_next(const struct walk *w, char c)
{
	return w->at < w->end && *w->at == c;
}

/* Take c, after space. */
static bool
take(struct walk *w, char c)
{
	skip_space(w);
	if (!is_next(w, c))
		return false;
	w->at++;
	return true;
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

static bool
escape(struct walk *w)
{
	char c;

	w->at++;
	if (w->at >= w->end || *w->at == '\0')
		return false;
	c = *w->at++;
	if (c != 'u')
		return strchr("\"\\/bfnrt", c) != NULL;
	for (int i = 0; i < 4; i++, w->at++)
		if (w->at >= w->end || !is_hex(*w->at))
			return false;
	return true;
}

/* A string, quotes included; what is between them goes to ret_p, ret_n. */
static bool
string(struct walk *w, const char **ret_p, size_t *ret_n)
{
	const char *start;

	if (!take(w, '"'))
		return false;
	start = w->at;
	while (w->at < w->end && *w->at != '"') {
		if ((unsigned char)*w->at < 0x20)
			return false;
		if (*w->at != '\\')
			w->at++;
		else if (!escape(w))
			return false;
	}
	*ret_p = start;
	*ret_n = (size_t)(w->at - start);
	return take(w, '"');
}

static bool
digits(struct walk *w)
{
	const char *start = w->at;

	while (w->at < w->end && *w->at >= '0' && *w->at <= '9')
		w->at++;
	return w->at > start;
}

static bool
number(struct walk *w)
{
	bool zero;

	if (is_next(w, '-'))
		w->at++;
	zero = is_next(w, '0');
	if (zero)
		w->at++;
	else if (!digits(w))
		return false;
	if (is_next(w, '.') && (w->at++, !digits(w)))
		return false;
	if (!is_next(w, 'e') && !is_next(w, 'E'))
		return true;
	w->at++;
	if (is_next(w, '+') || is_next(w, '-'))
		w->at++;
	return digits(w);
}

static bool
literal(struct walk *w, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(w->end - w->at) < n || memcmp(w->at, text, n) != 0)
		return false;
	w->at += n;
	return true;
}

/* Go to a child: note its line if it is the one looked for. */
static void
enter(struct walk *w, const char *name, size_t n)
{
	size_t dot = w->path_n > 0 ? 1 : 0;

	if (w->path_n + dot + n < sizeof(w->path)) {
		if (dot == 1)
			w->path[w->path_n] = '.';
		memcpy(w->path + w->path_n + dot, name, n);
		w->path[w->path_n + dot + n] = '\0';
	}
	w->path_n += dot + n;
	if (w->want != NULL && w->path_n < sizeof(w->path) &&
	    strcmp(w->path, w->want) == 0)
		w->found = w->line;
}

/* Back to where the path had n bytes. */
static void
leave(struct walk *w, size_t n)
{
	w->path_n = n;
	if (n < sizeof(w->path))
		w->path[n] = '\0';
}

static bool
member(struct walk *w)
{
	size_t here = w->path_n, n;
	const char *name;
	bool good;

	if (!string(w, &name, &n))
		return false;
	enter(w, name, n);
	good = take(w, ':') && value(w);
	leave(w, here);
	return good;
}

static bool
element(struct walk *w, unsigned index)
{
	size_t here = w->path_n;
	char name[16];
	bool good;

	skip_space(w);
	enter(w, name, (size_t)snprintf(name, sizeof(name), "%u", index));
	good = value(w);
	leave(w, here);
	return good;
}

/* What is between the brackets, and the closing one. */
static bool
children(struct walk *w, char close)
{
	unsigned i = 0;

	if (take(w, close))
		return true;
	do
		if (!(close == '}' ? member(w) : element(w, i++)))
			return false;
	while (take(w, ','));
	return take(w, close);
}

static bool
nested(struct walk *w, char close)
{
	bool good;

	w->at++;
	w->depth++;
	good = w->depth <= DEPTH_MAX && children(w, close);
	w->depth--;
	return good;
}

static bool
value(struct walk *w)
{
	const char *text;
	size_t n;

	skip_space(w);
	if (w->at >= w->end)
		return false;
	switch (*w->at) {
	case '{':
		return nested(w, '}');
	case '[':
		return nested(w, ']');
	case '"':
		return string(w, &text, &n);
	case 't':
		return literal(w, "true");
	case 'f':
		return literal(w, "false");
	case 'n':
		return literal(w, "null");
	default:
		return number(w);
	}
}

static bool
whole(struct walk *w)
{
	if (!value(w))
		return false;
	skip_space(w);
	return w->at == w->end;
}

int
jsonpos_line(const char *p, size_t n, const char *path)
{
	struct walk w = { .at = p, .end = p + n, .line = 1, .want = path };

	(void)whole(&w);
	return w.found;
}

int
jsonpos_fault(const char *p, size_t n)
{
	struct walk w = { .at = p, .end = p + n, .line = 1 };

	return whole(&w) ? 0 : w.line;
}
