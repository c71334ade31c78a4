/* A page from its making to its end, and how each call answers. */
import { admin, editor, nobody, tag } from "./site.mjs";
import { done, is, like, ok, refused } from "./tap.mjs";

const collection = "pages";
const layout = [{ blockType: "text", body: { deep: [1, null, "é"] } }];

const made = await editor.create({
	collection,
	data: { title: "A page", slug: tag, layout, unknown: 1 },
});
is(typeof made.id, "number", "create gives the document, with a number");
is([made.title, made.slug], ["A page", tag], "as it was sent");
ok(!("unknown" in made), "but for unknown fields");
is(made.layout[0].body, layout[0].body, "blocks stay as sent");
like(made.layout[0].id, /^[0-9a-f]{24}$/, "and get ids");
for (const at of [made.createdAt, made.updatedAt])
	like(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, "a time of Payload's");

is(await nobody.findByID({ collection, id: made.id }), made,
	"findByID gives the same to anyone");
is(await nobody.findByID({ collection, id: String(made.id) }), made,
	"also by an id that is text");
await refused(nobody.findByID({ collection, id: 999999999 }), 404,
	"Not Found", "an id that there is not");
is(await nobody.findByID({ collection, id: 999999999, disableErrors: true }),
	null, "is null with disableErrors");

const changed = await editor.update({
	collection,
	id: made.id,
	data: { title: "Another title" },
});
is(changed.title, "Another title", "update gives the changed document");
is([changed.slug, changed.layout], [made.slug, made.layout],
	"what was not sent stays");
ok(changed.updatedAt > made.updatedAt, "its time goes on");
is(changed.createdAt, made.createdAt, "the other stays");
await refused(editor.update({ collection, id: 999999999, data: {} }), 404,
	"Not Found", "nothing to update");

const again = await refused(
	editor.create({ collection, data: { title: "B", slug: tag } }), 400,
	"The following field is invalid: slug", "a slug in use");
is(again.errors?.[0].name, "ValidationError", "is a ValidationError");
is(again.errors?.[0].data.errors.map((e) => [e.path, e.message]),
	[["slug", "Value must be unique"]], "of this field");

const long = await refused(
	editor.update({ collection, id: made.id, data: { title: "" } }), 400,
	"The following field is invalid: Title", "a title that is none");
is([long.errors?.[0].data.collection, long.errors?.[0].data.id,
	long.errors?.[0].data.errors[0].label], ["pages", made.id, "Title"],
	"says of which document, and the field's label");

const gone = await admin.delete({ collection, id: made.id });
is(gone, changed, "delete gives what was");
await refused(admin.delete({ collection, id: made.id }), 404, "Not Found",
	"once only");
done();
