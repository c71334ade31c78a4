#include "common/http/select.h"

#include "common/link/filter.h"
#include "common/link/js.h"

struct picking {
	const struct filter *select;
	struct json_object *out;
};

static bool
pick(const char *key, struct json_object *v, void *ctx)
{
	struct picking *p = ctx;

	if (filter_shows(p->select, key))
		js_set(p->out, key, v == NULL ? NULL : js_ref(v));
	return true;
}

bool
select_doc(const struct filter *select, struct buf *doc, struct err *e)
{
	AUTO_JS *whole = NULL;
	AUTO_JS *out = NULL;
	struct picking p = { .select = select };

	if (select->select == FILTER_WHOLE)
		return true;
	if (!js_parse_object(doc->data, doc->len, &whole, e))
		return false;
	out = js_new_object();
	p.out = out;
	js_each(whole, pick, &p);
	buf_clear(doc);
	js_print(out, doc);
	return buf_ok(doc, e);
}
