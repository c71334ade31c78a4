/* find, count, update and delete by a where: the shape of a page, the way through
 * them, and what the SDK makes of conditions. */
import { editor, nobody, refusal, tag } from "./site.mjs";
import { done, is, ok, refused } from "./tap.mjs";

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
is([whole.hasNextPage, whole.nextPage, whole.totalPages, whole.totalDocs],
	[false, null, 1, whole.docs.length < 1000 ? whole.docs.length : totalDocs],
	"on one page");
is((await nobody.find({ collection })).limit, 10, "ten when nothing is said");
is((await nobody.find({ collection, sort: "id", limit: 1 })).docs[0].id <
	ids[0], totalDocs > 3, "upwards");
is((await nobody.find({ collection, limit: 1, depth: 0 })).docs.length, 1,
	"with a depth");

/* ---- where, as the SDK writes it ---- */
const mine = { slug: { like: tag } };
const chosen = async (where, what, want) => {
	const { docs } = await nobody.find({
		collection, where: { and: [mine, where] }, sort: "id", depth: 0,
	});
	is(docs.map((doc) => doc.slug.slice(tag.length + 1)).join(""), want, what);
	const { totalDocs: counted } = await nobody.count({
		collection, where: { and: [mine, where] },
	});
	is(counted, want.length, "  and counted");
};

await chosen({ slug: { equals: `${tag}-2` } }, "equals", "2");
await chosen({ id: { in: [ids[0], ids[2]] } }, "in, a list of numbers", "13");
await chosen({ slug: { in: [`${tag}-1`, `${tag}-2`] } }, "in, of texts", "12");
await chosen({ slug: { not_in: [`${tag}-1`] } }, "not_in", "23");
await chosen({ title: { like: "3 list" } }, "like: all words", "3");
await chosen({ title: { not_like: "3" } }, "not_like", "12");
await chosen({ id: { greater_than: ids[0], less_than_equal: ids[2] } },
	"two operators of a field", "23");
await chosen({ createdAt: { less_than: new Date(Date.now() + 9e6) } },
	"a date", "123");
await chosen({ createdAt: { exists: true } }, "exists", "123");
await chosen({ or: [{ id: { equals: ids[0] } }, { id: { equals: ids[2] } }] },
	"or", "13");
await chosen({
	or: [
		{ and: [{ title: { equals: "List 1" } }, { id: { equals: ids[0] } }] },
		{ and: [{ title: { equals: "List 1" } }, { id: { equals: ids[1] } }] },
		{ or: [{ slug: { equals: `${tag}-3` } }, { id: { equals: -1 } }] },
	],
}, "and in or, or in or", "13");
await chosen({ or: [{ slug: { equals: `${tag}-2` } }, {}] },
	"a branch that says nothing", "2");
const unknown = await refused(nobody.find({
	collection, where: { nope: { equals: 1 } },
}), 400, "The following path cannot be queried: nope", "an unknown field");
is(unknown.errors?.[0].name, "QueryError", "is a QueryError");

/* ---- select ---- */
const parts = async (select) => Object.keys((await nobody.find({
	collection, where: mine, limit: 1, select,
})).docs[0]).sort();
is(await parts({ title: true }), ["id", "title"], "select: one field");
is(await parts({ layout: false, createdAt: false }),
	["id", "slug", "title", "updatedAt"], "select: all but two");
is(Object.keys(await nobody.findByID({
	collection, id: ids[0], select: { slug: true },
})).sort(), ["id", "slug"], "select of one document");

/* ---- several at once ---- */
const two = { id: { in: [ids[0], ids[1]] } };
const updated = await editor.update({
	collection, where: two, data: { title: "Changed" },
});
is([updated.docs.map((doc) => doc.title), updated.errors],
	[["Changed", "Changed"], []], "update by a where");
await chosen({ title: { equals: "Changed" } }, "changed two", "12");
await refused(editor.update({ collection, where: {}, data: { title: "x" } }),
	400, /^Missing 'where' query/, "not without one");
await refused(nobody.update({ collection, where: two, data: { title: "x" } }),
	...refusal, "nor by nobody");
const gone = await editor.delete({
	collection, where: { or: [two, {}, { title: {} }] },
});
is([gone.docs.map((doc) => doc.id).sort((a, b) => a - b), gone.errors],
	[[ids[0], ids[1]], []], "delete by a where");
await chosen({ id: { exists: true } }, "leaves the third", "3");
await refused(editor.delete({ collection, where: { or: [{}] } }), 400,
	/^Missing 'where' query/, "and does not take all for nothing");

await editor.delete({ collection, id: ids[2] });
is((await nobody.count({ collection })).totalDocs, totalDocs - 3,
	"deleted pages do not count");
done();
