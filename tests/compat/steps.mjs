/*
 * steps: what both servers are asked, in this order.  A step is
 *
 *	name, what, [path, more]
 *
 * with what being "GET path" and so on.  "{page}" in it, and in the JSON, is
 * the id that an earlier step kept by `keep: "page"`.  more.as is who asks:
 * admin (an API key; the default), editor (likewise), nobody, or a token that
 * an earlier step kept; more.json, form, raw and file are what is sent.  What a
 * step with `undo` has made is deleted again, for only one of them may make it.
 */
const text = { blockType: "text", body: { deep: [1, null, "é"] } };
const gallery = (...images) => ({ blockType: "gallery", images });
const page = (slug, more) => ({ title: `Page ${slug}`, slug, ...more });
const where = (text) => `GET /api/pages?depth=0&sort=id&where${text}`;

export const steps = [];
const step = (name, what, more = {}) => steps.push({ name, what, ...more });

/* ---- media ---- */
step("media: nothing", "GET /api/media", { as: "nobody" });
step("media: create", "POST /api/media", { keep: "photo",
	file: ["photo.jpg", "small.jpg", "image/jpeg"], json: { alt: "one" } });
step("media: the same name", "POST /api/media", { keep: "photo1",
	file: ["photo.jpg", "small.jpg", "image/jpeg"], json: {} });
step("media: a numbered name", "POST /api/media", { keep: "photo2",
	file: ["photo-1.jpg", "small.jpg", "image/jpeg"], json: {} });
step("media: a name with spaces", "POST /api/media", { keep: "odd",
	file: ["a b%č&.png", "small.png", "image/png"], json: { alt: "ž" } });
step("media: pdf", "POST /api/media", { keep: "pdf",
	file: ["small.pdf", "small.pdf", "application/pdf"], json: {} });
step("media: an untrue name", "POST /api/media",
	{ undo: true, file: ["x.png", "small.jpg", "image/png"], json: {} });
step("media: a program", "POST /api/media",
	{ undo: true, file: ["x.php", "README.md", "text/x-php"], json: {} });
step("media: no file", "POST /api/media", { json: { alt: "x" } });
step("media: nobody creates", "POST /api/media", { as: "nobody",
	file: ["n.jpg", "small.jpg", "image/jpeg"], json: {} });
step("media: one", "GET /api/media/{photo}", { as: "nobody" });
step("media: none", "GET /api/media/999999", { as: "nobody" });
step("media: not a number", "GET /api/media/x", { as: "nobody" });
step("media: list", "GET /api/media?sort=id", { as: "nobody" });
step("media: count", "GET /api/media/count", { as: "nobody" });
step("media: patch", "PATCH /api/media/{photo}", { json: { alt: "two" } });
step("media: patch a number", "PATCH /api/media/{photo}",
	{ json: { alt: 7 } });
step("media: patch back", "PATCH /api/media/{photo}",
	{ json: { alt: "two" } });
step("media: patch what is not ours to", "PATCH /api/media/{photo}",
	{ json: { id: 77, createdAt: "2000-01-01T00:00:00.000Z" } });
step("media: another file", "PATCH /api/media/{photo}",
	{ file: ["new.png", "small.png", "image/png"], json: { alt: "new" } });
step("media: select", "GET /api/media/{photo}?select[alt]=true");
step("media: create, select", "POST /api/media?select[alt]=true", { undo: true,
	file: ["part.png", "small.png", "image/png"], json: { alt: "part" } });
step("media: patch, select",
	"PATCH /api/media/{photo}?select[alt]=true&select[width]=true",
	{ json: { alt: "new" } });
step("media: another file, select", "PATCH /api/media/{photo}?select[sizes]=false",
	{ file: ["newer.png", "small.png", "image/png"], json: {} });
step("media: patch, no body", "PATCH /api/media/{photo1}?select[alt]=true");
for (const [name, query] of [
	["url", "where[url][equals]=/api/media/file/photo-1.jpg"],
	["part of the url", "where[url][like]=small"],
	["no thumbnail", "where[thumbnailURL][exists]=false"],
	["focal", "where[focalX][equals]=50&sort=focalY,id"],
	["no focal", "where[focalY][exists]=false"],
	["order of url", "where[mimeType][not_equals]=image/jpeg&sort=-url"]])
	step(`media: by ${name}`, `GET /api/media?select[alt]=true&${
		query.includes("sort") ? "" : "sort=id&"}${query}`);
step("media: nobody patches", "PATCH /api/media/{photo}",
	{ as: "nobody", json: { alt: "x" } });
step("file: get", "GET /api/media/file/photo-1.jpg", { as: "nobody" });
step("file: part", "GET /api/media/file/photo-1.jpg",
	{ as: "nobody", headers: { Range: "bytes=0-9" } });
step("file: beyond", "GET /api/media/file/photo-1.jpg",
	{ as: "nobody", headers: { Range: "bytes=999999-" } });
step("file: none", "GET /api/media/file/none.jpg", { as: "nobody" });
step("file: outside", "GET /api/media/file/..%2F..%2Fetc%2Fpasswd",
	{ as: "nobody" });

/* ---- pages ---- */
step("pages: create", "POST /api/pages?depth=0", { keep: "home", json:
	page("home", { layout: [text, gallery("{photo1}", "{photo}")], x: 1 }) });
step("pages: create plain", "POST /api/pages", { keep: "plain",
	json: page("plain") });
step("pages: create more", "POST /api/pages", { as: "editor", keep: "more",
	json: page("more", { title: "Ünïcode 100% _", layout: [] }) });
step("pages: nothing sent", "POST /api/pages", { json: {} });
step("pages: no title", "POST /api/pages", { json: { slug: "s" } });
step("pages: no body", "POST /api/pages");
step("pages: a number for a title", "POST /api/pages",
	{ undo: true, json: { title: 7, slug: "seven" } });
step("pages: slug in use", "POST /api/pages", { json: page("home") });
step("pages: an unknown picture", "POST /api/pages?depth=0",
	{ json: page("unknown", { layout: [gallery(999999)] }) });
step("pages: bad JSON", "POST /api/pages", { raw: "{\"title\":" });
step("pages: nobody creates", "POST /api/pages",
	{ as: "nobody", json: page("n") });
for (const depth of ["0", "1", "2", "11", "-1", "x"])
	step(`pages: depth ${depth}`, `GET /api/pages/{home}?depth=${depth}`,
		{ as: "nobody" });
step("pages: none", "GET /api/pages/999999");
step("pages: not a number", "GET /api/pages/abc");
step("pages: patch", "PATCH /api/pages/{plain}",
	{ json: { title: "Changed" } });
step("pages: patch nothing", "PATCH /api/pages/{plain}", { json: {} });
step("pages: patch an empty title", "PATCH /api/pages/{plain}",
	{ json: { title: "" } });
step("pages: patch a slug in use", "PATCH /api/pages/{plain}",
	{ json: { slug: "home" } });
step("pages: patch none", "PATCH /api/pages/999999",
	{ json: { title: "x" } });
step("pages: nobody patches", "PATCH /api/pages/{plain}",
	{ as: "nobody", json: { title: "x" } });

/* ---- lists ---- */
step("list: all", "GET /api/pages?depth=0&sort=id", { as: "nobody" });
step("list: newest first", "GET /api/pages?depth=0", { as: "nobody" });
for (const query of ["limit=2", "limit=2&page=2", "limit=2&page=99", "limit=0",
	"limit=1001", "limit=-1", "limit=x", "page=0", "page=x", "pagination=false",
	"limit=1&pagination=false", "sort=-slug", "sort=title,-id",
	"sort=nothing", "unknown=1", "select%5Btitle%5D=true",
	"select%5Btitle%5D=false&select%5Blayout%5D=false"])
	step(`list: ${query}`, `GET /api/pages?depth=0&sort=id&${query}`
		.replace(/sort=id&(.*sort=)/, "$1"), { as: "nobody" });
for (const [name, text] of [
	["equals", "[slug][equals]=home"],
	["equals id", "[id][equals]={home}"],
	["not_equals", "[slug][not_equals]=home"],
	["in", "[slug][in]=home,more"],
	["in list", "[slug][in][0]=home&where[slug][in][1]=more"],
	["not_in", "[slug][not_in]=home,more"],
	["like", "[title][like]=page HOME"],
	["like %", "[title][like]=%25"],
	["not_like", "[title][not_like]=page"],
	["contains", "[title][contains]=AGE h"],
	["exists", "[title][exists]=true"],
	["exists not", "[title][exists]=false"],
	["greater_than", "[id][greater_than]={home}"],
	["less_than_equal", "[id][less_than_equal]={home}"],
	["a time", "[createdAt][less_than]=2000-01-01T00:00:00.000Z"],
	["a year", "[createdAt][greater_than]=2000"],
	["or", "[or][0][slug][equals]=home&where[or][1][slug][equals]=more"],
	["and", "[and][0][slug][like]=o&where[and][1][title][like]=home"],
	["JSON", "={\"slug\":{\"equals\":\"home\"}}"],
	["unknown field", "[nothing][equals]=1"],
	["unknown operator", "[slug][sounds]=1"],
	["no operator", "[slug]=home"],
	["not a number", "[id][equals]=x"],
	["not a time", "[createdAt][greater_than]=x"],
	["bad JSON", "={"],
])
	step(`where: ${name}`, where(text), { as: "nobody" });
step("count: where", "GET /api/pages/count?where%5Bslug%5D%5Bequals%5D=home");
step("count: unknown field", "GET /api/pages/count?where%5Bx%5D%5Bequals%5D=1");

/* ---- many ---- */
step("bulk: update", "PATCH /api/pages?depth=0&where%5Bslug%5D%5Bin%5D=plain,more",
	{ json: { title: "Many" } });
step("bulk: no where", "PATCH /api/pages", { json: { title: "x" } });
step("bulk: nothing found", "PATCH /api/pages?where%5Bslug%5D%5Bequals%5D=none",
	{ json: { title: "x" } });
step("bulk: refused", "PATCH /api/pages?where%5Bslug%5D%5Bequals%5D=plain",
	{ json: { slug: "home" } });
step("bulk: nobody", "PATCH /api/pages?where%5Bslug%5D%5Bequals%5D=plain",
	{ as: "nobody", json: { title: "x" } });
step("bulk: delete", "DELETE /api/pages?depth=0&where%5Bslug%5D%5Bequals%5D=more");
step("bulk: delete without where", "DELETE /api/pages");
step("bulk: empty title", "PATCH /api/pages?where%5Bslug%5D%5Bequals%5D=plain",
	{ json: { title: "" } });
step("bulk: media, select",
	"PATCH /api/media?select[alt]=true&where[filename][equals]=small.pdf",
	{ json: { alt: "many" } });
step("bulk: delete media", "DELETE /api/media?where%5Bfilename%5D%5Bequals%5D=small.pdf");

/* ---- ends ---- */
step("pages: delete", "DELETE /api/pages/{plain}?depth=0");
step("pages: delete again", "DELETE /api/pages/{plain}");
step("pages: nobody deletes", "DELETE /api/pages/{home}", { as: "nobody" });
step("media: delete", "DELETE /api/media/{photo1}");
step("media: delete again", "DELETE /api/media/{photo1}");
step("media: its own name again", "PATCH /api/media/{photo}",
	{ file: ["newer.png", "small.png", "image/png"], json: {} });
step("pages: its pictures", "GET /api/pages/{home}?depth=0");

/* ---- users ---- */
const editor = { email: "editor2@example.com", password: "editor-password" };
step("users: init", "GET /api/users/init", { as: "nobody" });
step("users: first-register", "POST /api/users/first-register",
	{ as: "nobody", json: { ...editor, role: "admin" } });
step("users: create", "POST /api/users",
	{ keep: "user", json: { ...editor, role: "editor" } });
step("users: create again", "POST /api/users",
	{ json: { ...editor, role: "editor" } });
step("users: no password", "POST /api/users",
	{ json: { email: "x@example.com", role: "editor" } });
step("users: nothing sent", "POST /api/users", { json: {} });
step("users: no role", "POST /api/users",
	{ undo: true, json: { email: "x@example.com", password: "xxxxxxxx" } });
step("users: a bad address", "POST /api/users",
	{ json: { ...editor, email: "x", role: "editor" } });
step("users: a short password", "POST /api/users",
	{ json: { email: "x@example.com", password: "x", role: "editor" } });
step("users: an unknown role", "POST /api/users",
	{ json: { ...editor, role: "king" } });
step("users: an editor creates", "POST /api/users",
	{ as: "editor", json: { ...editor, role: "admin" } });
step("users: login", "POST /api/users/login",
	{ as: "nobody", keepToken: "session", json: editor });
step("users: wrong password", "POST /api/users/login",
	{ as: "nobody", json: { ...editor, password: "x" } });
step("users: unknown address", "POST /api/users/login",
	{ as: "nobody", json: { ...editor, email: "none@example.com" } });
step("users: no address", "POST /api/users/login",
	{ as: "nobody", json: { password: "x" } });
step("users: me", "GET /api/users/me", { as: "session" });
step("users: me by key", "GET /api/users/me");
step("users: me, nobody", "GET /api/users/me", { as: "nobody" });
step("users: refresh", "POST /api/users/refresh-token",
	{ as: "session", keepToken: "session" });
step("users: refresh, nobody", "POST /api/users/refresh-token",
	{ as: "nobody" });
step("users: refresh by key", "POST /api/users/refresh-token");
step("users: self", "GET /api/users/{user}", { as: "session" });
step("users: one, select", "GET /api/users/{user}?select[role]=true");
step("users: list, select", "GET /api/users?sort=id&select[role]=true");
step("users: by key",
	"GET /api/users?where[enableAPIKey][equals]=true&sort=enableAPIKey,id");
step("users: list as editor", "GET /api/users?sort=id", { as: "session" });
step("users: list as nobody", "GET /api/users", { as: "nobody" });
step("users: one as nobody", "GET /api/users/{user}", { as: "nobody" });
step("users: own role", "PATCH /api/users/{user}",
	{ as: "session", json: { role: "admin" } });
step("users: patch, select", "PATCH /api/users/{user}?select[role]=true",
	{ json: { role: "editor" } });
step("users: own password", "PATCH /api/users/{user}",
	{ as: "session", json: { password: "another-password" } });
step("users: an editor deletes", "DELETE /api/users/{user}",
	{ as: "session" });
step("users: unlock", "POST /api/users/unlock",
	{ json: { email: editor.email } });
step("users: logout", "POST /api/users/logout", { as: "session" });
step("users: logout, nobody", "POST /api/users/logout", { as: "nobody" });
step("users: me after logout", "GET /api/users/me", { as: "session" });
step("users: delete", "DELETE /api/users/{user}");
for (let n = 1; n <= 6; n++)
	step(`users: lock ${n}`, "POST /api/users/login", { as: "nobody",
		json: { email: "editor@example.com", password: "wrong" } });
for (const as of ["nobody", "editor", "admin"])
	step(`access: ${as}`, "GET /api/access", { as });

/* ---- jobs ---- */
step("jobs: run", "GET /api/payload-jobs/run");
step("jobs: run, nobody", "GET /api/payload-jobs/run", { as: "nobody" });
step("jobs: run, editor", "GET /api/payload-jobs/run", { as: "editor" });
step("jobs: schedules", "GET /api/payload-jobs/handle-schedules");
step("jobs: list, nobody", "GET /api/payload-jobs", { as: "nobody" });
step("jobs: list, editor", "GET /api/payload-jobs", { as: "editor" });
step("jobs: none", "GET /api/payload-jobs/999999");
step("jobs: count",
	"GET /api/payload-jobs/count?where%5BtaskSlug%5D%5Bequals%5D=noop");

/* ---- the frame ---- */
step("frame: unknown route", "GET /api/pages/1/2/3", { as: "nobody" });
step("frame: another method", "PUT /api/pages/{home}", { json: {} });
step("frame: options", "OPTIONS /api/pages", { as: "nobody" });
step("frame: head", "HEAD /api/pages/{home}", { as: "nobody" });
step("frame: override, a form", "POST /api/pages", { as: "nobody",
	form: "depth=0&where[slug][equals]=home",
	headers: { "X-Payload-HTTP-Method-Override": "GET" } });
step("frame: override, JSON", "POST /api/pages", { as: "nobody",
	json: { depth: 0, where: { slug: { equals: "home" } } },
	headers: { "X-HTTP-Method-Override": "GET" } });
step("frame: a wrong token", "GET /api/pages/{home}?depth=0",
	{ as: "JWT a.b.c" });
