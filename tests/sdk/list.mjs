/* find and count: the shape of a page, and the way through them. */
import { editor, nobody, tag } from "./site.mjs";
import { done, is, ok } from "./tap.mjs";

const collection = "pages";
const fields = ["docs", "hasNextPage", "hasPrevPage", "limit", "nextPage",
	"page", "pagingCounter", "prevPage", "totalDocs", "totalPages"];
const made = [];

for (const n of [1, 2, 3])
	made.push(await editor.create({
		collection,
		data: { title: `List ${n}`, slug: `${tag}-${n}` },
	}));
const ids = made.map((doc) => doc.id);

const { totalDocs } = await nobody.count({ collection });
ok(totalDocs >= 3, "count");
const first = await nobody.find({ collection, limit: 2, sort: "-id" });
is(Object.keys(first).sort(), fields, "a page has its ten fields");
is(first.docs.map((doc) => doc.id), [ids[2], ids[1]], "the newest two by id");
is([first.limit, first.page, first.pagingCounter], [2, 1, 1], "as asked");
is([first.hasPrevPage, first.prevPage, first.hasNextPage, first.nextPage],
	[false, null, true, 2], "nothing before, something behind");
is([first.totalDocs, first.totalPages], [totalDocs, Math.ceil(totalDocs / 2)],
	"of so many");
const second = await nobody.find({
	collection, limit: 2, sort: "-id", page: 2,
});
is(second.docs[0].id, ids[0], "page 2 goes on");
is([second.page, second.pagingCounter, second.hasPrevPage, second.prevPage],
	[2, 3, true, 1], "and knows page 1");
const behind = await nobody.find({ collection, limit: 2, page: totalDocs });
is([behind.docs, behind.hasNextPage, behind.nextPage], [[], false, null],
	"behind the last page there is nothing");
const whole = await nobody.find({ collection, pagination: false });
is(whole.docs.length, Math.min(totalDocs, 1000),
	"without pagination: all that one answer holds");
is((await nobody.find({ collection })).limit, 10, "ten when nothing is said");
is((await nobody.find({ collection, sort: "id", limit: 1 })).docs[0].id <
	ids[0], totalDocs > 3, "upwards");
is((await nobody.find({ collection, limit: 1, depth: 0 })).docs.length, 1,
	"with a depth");

for (const id of ids)
	await editor.delete({ collection, id });
is((await nobody.count({ collection })).totalDocs, totalDocs - 3,
	"deleted pages do not count");
done();
