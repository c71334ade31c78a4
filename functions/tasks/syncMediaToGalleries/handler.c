/*
 * syncMediaToGalleries {"mediaId": n}: add the picture to every gallery with
 * autoSyncMedia.  Output {"pagesUpdated", "galleriesUpdated", "mediaId"}, and
 * "skipped": true when the picture has been deleted meanwhile.
 */
#include "common/link/js.h"
#include "common/runner/task.h"
#include "common/site/media.h"

static bool
handle(struct task_run *t, struct err *e)
{
	int64_t id, pages = 0, galleries = 0;
	bool found = false;

	if (!js_int(t->input, "mediaId", 0, 1, INT64_MAX, &id, e) ||
	    !media_sync(task_db(t), id, &pages, &galleries, &found, e))
		return false;
	t->output = js_new_object();
	js_set_int(t->output, "pagesUpdated", pages);
	js_set_int(t->output, "galleriesUpdated", galleries);
	js_set_int(t->output, "mediaId", id);
	if (!found)
		js_set_bool(t->output, "skipped", true);
	return true;
}

TASK_HANDLER("syncMediaToGalleries", handle);
