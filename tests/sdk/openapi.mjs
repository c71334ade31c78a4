/*
 * functions/openapi.json says what the server does: every route of the
 * functions stands in it and none besides, every one of them is called, and
 * every answer is of a status that it names and has the shape that it says,
 * field for field.  What it says must have been seen.
 */
import { readFileSync, readdirSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv from "ajv/dist/2020.js";
import { adminKey, editorKey, fetchJson, picture, tag, url } from "./site.mjs";
import { done, is, ok } from "./tap.mjs";

const document = JSON.parse(readFileSync("functions/openapi.json", "utf8"));
const cron = `Bearer ${process.env.CRON_SECRET}`;
const methods = ["get", "post", "patch", "delete", "put"];

const formal = new Validator();
ok((await formal.validate(structuredClone(document))).valid &&
	formal.version === "3.1", "it is OpenAPI 3.1");

/* ---- the routes ---- */

/* The tables of the functions: { "GET", "/api/media/:id", … }. */
const routed = readdirSync("functions").filter((name) => name.endsWith(".c"))
	.flatMap((name) => [...readFileSync(`functions/${name}`, "utf8")
		.matchAll(/\{\s*"([A-Z]+)",\s*"(\/[^"]*)"/g)])
	.map(([, method, path]) =>
		`${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
const operations = new Map(Object.entries(document.paths).flatMap(
	([path, item]) => methods.filter((method) => item[method]).map(
		(method) => [`${method.toUpperCase()} ${path}`, item[method]])));

is([...new Set(routed)].filter((route) => !operations.has(route)), [],
	"every route of the functions is described");
is([...operations.keys()].filter((route) => !routed.includes(route)), [],
	"and no other");
is(new Set([...operations.values()].map((o) => o.operationId)).size,
	operations.size, "each under a name of its own");

/* ---- the shapes ---- */

/* A field that no schema names is a mistake here, if not for a client. */
function close(schema) {
	if (schema === null || typeof schema !== "object")
		return schema;
	if (Array.isArray(schema))
		return schema.map(close);
	const closed = Object.fromEntries(Object.entries(schema)
		.map(([key, value]) => [key, close(value)]));
	if (typeof closed.properties === "object" && closed.type === "object")
		closed.additionalProperties ??= false;
	return closed;
}

const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addFormat("binary", true);
ajv.addFormat("date-time", true);
ajv.addSchema({ ...close(document), $id: "api" });

const resolved = (part) => part.$ref
	? part.$ref.slice(2).split("/").reduce((at, key) => at[key], document)
	: part;
const pointer = (...keys) => `api#/${keys.map((key) =>
	encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1")))
	.join("/")}`;

/* The validator of a JSON answer; undefined where there is no JSON. */
function shapeOf(route, status) {
	const [method, path] = route.split(" ");
	const { responses } = operations.get(route);
	const key = responses[status] ? String(status) : "default";
	const at = responses[key].$ref ? responses[key].$ref.slice(2).split("/")
		: ["paths", path, method.toLowerCase(), "responses", key];

	if (!resolved(responses[key]).content?.["application/json"])
		return undefined;
	return ajv.getSchema(pointer(...at, "content", "application/json",
		"schema"));
}

const complaints = (shape, value) => shape(value) ? []
	: shape.errors.map((e) => `${e.instancePath} ${e.message} ` +
		JSON.stringify(e.params));

/* ---- the parameters ---- */

const named = (operation) => (operation.parameters ?? [])
	.map((parameter) => resolved(parameter).name);
const select = resolved({ $ref: "#/components/parameters/select" });
const takes = new Ajv({ strict: false })
	.addSchema(structuredClone(document), "api")
	.getSchema("api#/components/parameters/select/schema");
ok(select.style === "deepObject" && takes({ title: true }) &&
	takes({ sizes: { thumbnail: { url: false } } }) && !takes({ a: "b" }),
	"a select is true or false, of parts too");

/* Where a select that is none is refused, it is a parameter, and nowhere else.
 * Nothing is done: there is no such document, and no where. */
const documents = /^\w+ \/api\/(media|pages|users|payload-jobs)(\/\{id\})?$/;
for (const [route, operation] of operations) {
	if (!documents.test(route))
		continue;
	const [method, path] = route.split(" ");
	const { body } = await fetchJson(
		`${path.replace("{id}", "999999999")}?select[title]=maybe`,
		adminKey, method === "GET" ? {} : { method, json: {} });
	is(body.errors[0].data?.errors?.[0].path === "select",
		named(operation).includes("select"),
		`${route}: select is a parameter if it is one`);
}
for (const route of ["PATCH /api/pages", "DELETE /api/pages",
	"PATCH /api/pages/{id}", "DELETE /api/pages/{id}",
	"GET /api/media/file/{filename}"])
	ok(named(operations.get(route)).includes("If-Match"),
		`${route}: so is If-Match`);

/* ---- the calls ---- */

const seen = new Map([...operations.keys()].map((route) => [route, new Set()]));

/* call("GET /api/media/{id}", 200, { id, query, as, json, body, headers }):
 * gives the body. */
async function call(route, status, how = {}) {
	const [method, path] = route.split(" ");
	const { query = "", as, json, body, headers, ...values } = how;
	const filled = path.replace(/\{(\w+)\}/g, (all, name) =>
		encodeURIComponent(values[name] ?? values.id ?? "999999999"));
	const answer = await fetchJson(filled + query, as,
		{ method, json, body, headers });
	const what = `${route}${query}: ${status}`;

	seen.get(route)?.add(answer.status);
	if (answer.status !== status) {
		is([answer.status, answer.body], [status], what);
		return answer.body;
	}
	const shape = shapeOf(route, status);
	const wrong = shape ? complaints(shape, answer.body) : [];
	ok(wrong.length === 0, what, ...wrong);
	return answer.body;
}

/* Whoever has to be somebody is refused when he is not. */
for (const [route, { responses, security }] of operations)
	if (!security.some((one) => Object.keys(one).length === 0) &&
		security.length > 0)
		await call(route, responses["401"] ? 401 : 403);

const login = { email: process.env.EDITOR_EMAIL,
	password: process.env.EDITOR_PASSWORD };
const { token } = await call("POST /api/users/login", 200, { json: login });
await call("POST /api/users/login", 401,
	{ json: { ...login, password: "wrong" } });
await call("POST /api/users/login", 400, { json: { email: login.email } });
const signed = `JWT ${token}`;
await call("GET /api/users/me", 200);
await call("GET /api/users/me", 200, { as: signed });
await call("GET /api/users/me", 200, { as: editorKey });
await call("POST /api/users/refresh-token", 200, { as: signed });
await call("POST /api/users/refresh-token", 403, { as: editorKey });
await call("POST /api/users/logout", 200, { as: signed });
await call("POST /api/users/logout", 400);

/* ---- accounts ---- */

const admin = { as: adminKey };
const account = { email: `${tag}@example.com`, password: "a long password" };
await call("GET /api/access", 200);
await call("GET /api/access", 200, { as: editorKey });
await call("GET /api/access", 200, admin);
await call("GET /api/users/init", 200);
await call("POST /api/users/first-register", 403, { json: account });
const { doc: made } = await call("POST /api/users", 201,
	{ ...admin, json: { ...account, enableAPIKey: true } });
await call("POST /api/users", 400, { ...admin, json: account });
await call("POST /api/users", 403, { as: editorKey, json: account });
const mine = { as: `users API-Key ${made.apiKey}`, id: made.id };
await call("GET /api/users", 200, { ...admin, query: "?limit=1000" });
await call("GET /api/users", 400, { ...admin, query: "?sort=nothing" });
await call("GET /api/users/count", 200, admin);
await call("GET /api/users/count", 400,
	{ ...admin, query: "?where[nothing][equals]=1" });
await call("GET /api/users/{id}", 200, mine);
await call("GET /api/users/{id}", 403, { as: mine.as });
await call("GET /api/users/{id}", 404, admin);
await call("PATCH /api/users/{id}", 200,
	{ ...mine, json: { enableAPIKey: true, apiKey: "" } });
await call("PATCH /api/users/{id}", 400,
	{ ...admin, id: made.id, json: { email: 7 } });
await call("PATCH /api/users/{id}", 404, { ...admin, json: {} });
const badly = "?select[role]=maybe";
await call("GET /api/users/{id}", 400,
	{ ...admin, id: made.id, query: badly });
await call("DELETE /api/users/{id}", 400,
	{ ...admin, id: made.id, query: badly });
const him = `?where[id][equals]=${made.id}`;
await call("PATCH /api/users", 200,
	{ ...admin, query: him, json: { role: "operator" } });
await call("PATCH /api/users", 400, { ...admin, json: { role: "operator" } });
await call("PATCH /api/users", 400,
	{ ...admin, query: him, json: { password: "short" } });
await call("DELETE /api/users", 400, admin);
const { doc: gone } = await call("POST /api/users", 201,
	{ ...admin, json: { ...account, email: `gone-${tag}@example.com` } });
await call("DELETE /api/users", 200,
	{ ...admin, query: `?where[id][equals]=${gone.id}` });
await call("POST /api/users/unlock", 200,
	{ ...admin, json: { email: account.email } });
await call("POST /api/users/unlock", 400, { ...admin, json: {} });
await call("DELETE /api/users/{id}", 200, { ...admin, id: made.id });
await call("DELETE /api/users/{id}", 404, admin);

/* ---- media ---- */

function form(file, fields) {
	const body = new FormData();

	body.append("file", file);
	body.append("_payload", JSON.stringify(fields));
	return body;
}
const files = "/api/media/file/{filename}";
const as = editorKey;
const { doc: medium } = await call("POST /api/media", 201,
	{ as, body: form(picture(), { alt: "one" }) });
await call("POST /api/media", 400,
	{ as, body: form(picture(`${tag}.png`), {}) });
await call("GET /api/media", 200);
await call("GET /api/media", 400, { query: "?limit=x" });
await call("GET /api/media/count", 200);
await call("GET /api/media/count", 400, { query: "?where[nothing][equals]=1" });
await call("GET /api/media/{id}", 200, medium);
await call("GET /api/media/{id}", 400, { ...medium, query: "?select[alt]=x" });
await call("GET /api/media/{id}", 404);
await call("PATCH /api/media/{id}", 200,
	{ as, id: medium.id, json: { alt: "two" } });
await call("PATCH /api/media/{id}", 400,
	{ as, id: medium.id, json: { alt: 2 } });
await call("PATCH /api/media/{id}", 404, { as, json: {} });
await call("PATCH /api/media/{id}", 200,
	{ as, id: medium.id, body: form(picture(), { alt: "three" }) });
const only = `?where[id][equals]=${medium.id}`;
await call("PATCH /api/media", 200, { as, query: only, json: { alt: "four" } });
await call("PATCH /api/media", 400, { as, json: { alt: "five" } });
async function read(status, headers) {
	const answer = await fetch(new URL(medium.url, url), { headers });

	is(answer.status, status, `GET ${files}: ${status}`);
	await answer.arrayBuffer();
	seen.get(`GET ${files}`).add(answer.status);
	return answer.headers;
}
const known = await read(200);
await read(206, { Range: "bytes=0-9" });
await read(416, { Range: "bytes=999999-" });
await read(304, { "If-None-Match": known.get("etag"),
	"If-Modified-Since": known.get("last-modified") });
await read(412, { "If-Match": '"x"' });
await read(400, { "If-Match": "x" });
await read(200, { "If-Match": known.get("etag") });
await call(`GET ${files}`, 404, { filename: "none.jpg" });
await call("GET /api/media/sweep", 200, { as: cron });
await call("GET /api/media/sweep", 400, { as: cron, query: "?olderThan=x" });

/* ---- pages ---- */

const draft = { title: "A page", slug: tag, layout: [
	{ blockType: "gallery", images: [medium.id] },
	{ blockType: "text", body: { deep: [] } },
] };
const { doc: page } = await call("POST /api/pages", 201, { as, json: draft });
await call("POST /api/pages", 400, { as, json: draft });
await call("GET /api/pages", 200, { query: "?limit=2&depth=0" });
await call("GET /api/pages", 200, { query: "?limit=2&sort=-id" });
await call("GET /api/pages", 400, { query: "?page=0" });
await call("GET /api/pages/count", 200);
await call("GET /api/pages/count", 400, { query: "?where[nothing][equals]=1" });
await call("GET /api/pages/{id}", 200, page);
await call("GET /api/pages/{id}", 200, { id: page.id, query: "?depth=0" });
await call("GET /api/pages/{id}", 400, { id: page.id, query: "?depth=x" });
await call("GET /api/pages/{id}", 404);
await call("PATCH /api/pages/{id}", 200,
	{ as, id: page.id, json: { title: "B" } });
await call("PATCH /api/pages/{id}", 400,
	{ as, id: page.id, json: { title: 7 } });
await call("PATCH /api/pages/{id}", 404, { as, json: {} });
const version = { "If-Match": `"${page.updatedAt}"` };
for (const method of ["PATCH", "DELETE"])
	await call(`${method} /api/pages/{id}`, 412,
		{ as, id: page.id, headers: version, json: {} });
await call("PATCH /api/pages/{id}", 409,
	{ as, id: page.id, json: { updatedAt: page.updatedAt } });
const { headers } = await fetchJson(`/api/pages/${page.id}`);
await call("PATCH /api/pages/{id}", 200,
	{ as, id: page.id, headers: { "If-Match": headers.get("etag") }, json: {} });
const these = `?where[slug][equals]=${tag}`;
await call("PATCH /api/pages", 200,
	{ as, query: `${these}&backfill=true`, json: { title: "C" } });
await call("PATCH /api/pages", 400,
	{ as, query: these, json: { updatedAt: page.updatedAt } });
await call("PATCH /api/pages", 400,
	{ as, query: these, headers: version, json: { title: "lost" } });
await call("DELETE /api/pages", 400, { as });
const { doc: another } = await call("POST /api/pages", 201,
	{ as, json: { title: "D", slug: `${tag}-d` } });
await call("DELETE /api/pages", 200,
	{ as, query: `?where[id][equals]=${another.id}` });
await call("DELETE /api/pages/{id}", 400,
	{ as, id: page.id, query: "?depth=x" });
await call("DELETE /api/pages/{id}", 200, { as, id: page.id });
await call("DELETE /api/pages/{id}", 404, { as });
const { doc: other } = await call("POST /api/media", 201,
	{ as, body: form(picture(`${tag}-b.jpg`), {}) });
await call("DELETE /api/media", 200,
	{ as, query: `?where[id][equals]=${other.id}` });
await call("DELETE /api/media", 400, { as });
await call("DELETE /api/media/{id}", 400,
	{ as, id: medium.id, query: "?select[sizes][thumbnail]=maybe" });
await call("DELETE /api/media/{id}", 200, { as, id: medium.id });
await call("DELETE /api/media/{id}", 404, { as });

/* ---- jobs ---- */

const jobs = "/api/payload-jobs";
const order = { task: "fail", input: { times: 1, forGood: true }, queue: tag };
const { doc: job } = await call(`POST ${jobs}`, 201, { ...admin, json: order });
await call(`POST ${jobs}`, 201,
	{ ...admin, json: [{ task: "noop", input: {}, queue: tag }] });
const script = (sh) => call(`POST ${jobs}`, 201,
	{ ...admin, json: { task: "script", input: { sh }, queue: tag } });
const ran = [job, ...(await Promise.all([
	script("echo '{\"progress\":0.5}' >&3; echo log >&2; echo '{\"n\":1}'; exit 1"),
	script("kill -SEGV $$"),
])).map(({ doc }) => doc)];
await call(`POST ${jobs}`, 400, { ...admin, json: {} });
await call(`POST ${jobs}`, 403, { as, json: order });
await call(`GET ${jobs}/run`, 400, { as: cron, query: "?limit=0" });
await call(`POST ${jobs}/run`, 400, { as: cron, query: "?queue=" });
await call(`POST ${jobs}/run`, 200, { as: cron, query: `?queue=${tag}` });
await call(`GET ${jobs}/run`, 200, { as: cron, query: `?queue=${tag}` });
for (const { id } of ran) {
	for (let ended = false, tries = 0; !ended && tries < 600; tries++) {
		const { body } = await fetchJson(`${jobs}/${id}`, adminKey);

		ended = body.hasError;
		await new Promise((then) => setTimeout(then, 100));
	}
	await call(`GET ${jobs}/{id}`, 200, { ...admin, id });
}
await call(`GET ${jobs}/{id}`, 404, admin);
await call(`GET ${jobs}/{id}`, 400,
	{ ...admin, id: job.id, query: "?select[input][times]=maybe" });
await call(`GET ${jobs}/{id}`, 403, { as });
await call(`GET ${jobs}`, 200, { ...admin, query: "?limit=1000" });
await call(`GET ${jobs}`, 400, { ...admin, query: "?limit=-1" });
await call(`GET ${jobs}`, 403, { as });
await call(`GET ${jobs}/count`, 200, admin);
await call(`GET ${jobs}/count`, 400,
	{ ...admin, query: "?where[nothing][equals]=1" });
await call(`GET ${jobs}/count`, 403, { as });
await call(`GET ${jobs}/stats`, 200, { as: cron });
await call(`GET ${jobs}/handle-schedules`, 200, { as: cron });
await call(`GET ${jobs}/handle-schedules`, 400,
	{ as: cron, query: "?queue=" });

/* Two that wait for an hour, and want one key. */
const later = new Date(Date.now() + 36e5).toISOString();
const keyed = { task: "noop", input: {}, queue: tag, waitUntil: later,
	uniqueKey: tag };
const { doc: first } = await call(`POST ${jobs}`, 201,
	{ ...admin, json: keyed });
await call(`POST ${jobs}`, 200, { ...admin, json: keyed });
await call(`POST ${jobs}/{id}/cancel`, 400,
	{ ...admin, id: first.id, json: { reason: 7 } });
await call(`POST ${jobs}/{id}/cancel`, 200,
	{ ...admin, id: first.id, json: { reason: "no more" } });
await call(`POST ${jobs}/{id}/cancel`, 409, { ...admin, id: first.id });
const { doc: second } = await call(`POST ${jobs}`, 201,
	{ ...admin, json: keyed });
for (const action of ["retry", "run"])
	await call(`POST ${jobs}/{id}/${action}`, 409,
		{ ...admin, id: first.id });
await call(`POST ${jobs}/{id}/run`, 200, { ...admin, id: second.id });
await call(`POST ${jobs}/{id}/retry`, 200, { ...admin, id: job.id });
for (const action of ["retry", "run", "cancel"]) {
	await call(`POST ${jobs}/{id}/${action}`, 404, admin);
	await call(`POST ${jobs}/{id}/${action}`, 403, { as });
}
for (const action of ["pause", "resume"]) {
	await call(`POST ${jobs}/queues/{queue}/${action}`, 200,
		{ ...admin, queue: tag });
	await call(`POST ${jobs}/queues/{queue}/${action}`, 403, { as, queue: tag });
}

/* ---- the rest ---- */

await call("GET /healthz", 200);
const metrics = await fetch(`${url}/metrics`, { headers: { Authorization: cron } });
is(metrics.headers.get("content-type").split(";")[0], "text/plain",
	"GET /metrics");
seen.get("GET /metrics").add(metrics.status);
const served = await fetchJson("/api/openapi.json");
is(served.body, document, "the server hands the description out");
is(served.headers.get("cache-control"), "no-store", "and it is not kept");

/* 503, 413 and 202 need a database that is away, a file of 50 MiB, a job that
 * takes its time; these a site without accounts, and one with one admin: others
 * make them happen. */
const elsewhere = ["POST /api/users/first-register 200",
	"POST /api/users/first-register 400", "PATCH /api/users/{id} 409",
	"DELETE /api/users/{id} 409"];
const unseen = [...operations].flatMap(([route, { responses }]) =>
	Object.keys(responses)
		.filter((status) => !["default", "202", "413", "503"].includes(status) &&
			!seen.get(route).has(Number(status)))
		.map((status) => `${route} ${status}`))
	.filter((what) => !elsewhere.includes(what));
is(unseen, [], "what it says was seen");
done();
