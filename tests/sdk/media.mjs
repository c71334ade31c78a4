/* Files: sent, shown in galleries by depth, read back, changed, removed. */
import { readFileSync } from "node:fs";
import { editor, nobody, picture, refusal, tag, url } from "./site.mjs";
import { done, is, like, ok, refused } from "./tap.mjs";

const collection = "media";
const bytes = readFileSync("tests/fixtures/small.jpg");

const made = await editor.create({
	collection,
	data: { alt: "a dot" },
	file: picture(),
});
is(made.alt, "a dot", "the fields come with the file");
is(made.filename, `${tag}.jpg`, "its name");
is([made.mimeType, made.filesize], ["image/jpeg", bytes.length],
	"its type and size");
ok(made.width > 0 && made.height > 0, "and how large the picture is");
const address = new URL(made.url, url);
is(address.href, `${url}/api/media/file/${tag}.jpg`, "its address");
const same = await editor.create({ collection, data: {}, file: picture() });
is(same.filename, `${tag}-1.jpg`, "the name once more gets a number");
is(same.alt, null, "a text that was not sent is null");

const file = await fetch(address);
is([file.status, file.headers.get("content-type")], [200, "image/jpeg"],
	"anyone reads the file");
ok(bytes.equals(Buffer.from(await file.arrayBuffer())), "byte for byte");
is(await nobody.findByID({ collection, id: made.id }), made,
	"and its document");

const page = await editor.create({
	collection: "pages",
	depth: 0,
	data: {
		title: "With pictures",
		slug: tag,
		layout: [{ blockType: "gallery", images: [same.id, made.id] }],
	},
});
is(page.layout[0].images, [same.id, made.id], "depth 0: ids");
for (const depth of [undefined, 1, 10]) {
	const read = await nobody.findByID({
		collection: "pages",
		id: page.id,
		depth,
	});
	is(read.layout[0].images, [same, made], `depth ${depth}: documents`);
}

const changed = await editor.update({
	collection,
	id: made.id,
	data: { alt: "another text" },
});
is([changed.alt, changed.filename], ["another text", made.filename],
	"update changes the text");

const other = readFileSync("tests/fixtures/small.png");
const replaced = await editor.update({
	collection,
	id: made.id,
	data: { alt: "another file" },
	file: picture(`${tag}-new.png`, "small.png", "image/png"),
});
is([replaced.id, replaced.alt, replaced.filename, replaced.mimeType,
	replaced.filesize], [made.id, "another file", `${tag}-new.png`, "image/png",
	other.length], "update brings another file");
is((await fetch(address)).status, 404, "the old one is gone");
const now = await fetch(new URL(replaced.url, url));
ok(other.equals(Buffer.from(await now.arrayBuffer())), "the new one is there");
is(await nobody.findByID({ collection, id: made.id }), replaced,
	"in the same document");
const kept = await editor.update({
	collection, id: made.id, data: {}, file: picture(`${tag}-new.png`,
		"small.png", "image/png"),
});
is([kept.alt, kept.filename], ["another file", `${tag}-new.png`],
	"its own name stays, and so does a text that is not sent");

await refused(editor.create({ collection, data: {} }), 400,
	"No files were uploaded.", "no file");
const wrong = await refused(
	editor.create({ collection, data: {}, file: picture(`${tag}.png`) }),
	400, "The following field is invalid: file", "a name that is untrue");
is(wrong.errors[0].data.errors[0].path, "file", "is the file's fault");
await refused(nobody.create({ collection, data: {}, file: picture() }),
	...refusal, "nobody sends files");

for (const { id } of [made, same])
	is((await editor.delete({ collection, id })).id, id, "delete");
is((await fetch(new URL(kept.url, url))).status, 404, "the file is gone");
is((await editor.delete({ collection: "pages", id: page.id })).layout[0].images,
	[], "and so it is from the gallery");
done();
