/*
 * compare: asks both servers each of steps.mjs and compares status, content
 * type and JSON, field by field.  What differs from run to run has a name
 * first: ids, times, tokens, addresses.
 *
 * README.md holds the differences that have a reason, as rows of
 *
 *	| steps | field | reason |
 *
 * ("*" in the first two stands for anything).  All others are printed, and so
 * are rows that no answer needs any more; either makes the exit status 1.
 * --all prints those that have a reason, too.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { steps } from "./steps.mjs";

const env = process.env;
const here = dirname(fileURLToPath(import.meta.url));
const sides = {
	ours: { url: env.SERVER_URL, key: env.API_KEY },
	theirs: { url: env.COMPAT_URL, key: env.COMPAT_KEY },
};

for (const side of Object.values(sides))
	Object.assign(side, { ids: {}, tokens: {}, names: new Map() });

/* ---- asking ---- */

async function editorOf(side, base) {
	const email = "editor@example.com", password = "editor-password";
	const post = (path, json, authorization) =>
		fetch(`${base}${path}`, {
			method: "POST",
			headers: { "Content-Type": "application/json",
				...(authorization && { authorization }) },
			body: JSON.stringify(json),
		}).then((answer) => answer.json());

	if (side === "theirs")
		await post("/api/users", { email, password, role: "editor",
			enableAPIKey: true, apiKey: crypto.randomUUID() },
			`users API-Key ${env.COMPAT_KEY}`);
	const { token } = await post("/api/users/login",
		side === "theirs" ? { email, password }
			: { email: env.EDITOR_EMAIL, password: env.EDITOR_PASSWORD });
	return `JWT ${token}`;
}

const filled = (side, text) =>
	text.replace(/"?\{(\w+)\}"?/g, (all, name) => {
		if (!(name in side.ids))
			return all;
		return all.startsWith('"') || !all.endsWith('"')
			? side.ids[name] : `${side.ids[name]}"`;
	});

function authorizationOf(side, as) {
	if (as === "nobody")
		return {};
	if (as === "admin")
		return { Authorization: `users API-Key ${side.key}` };
	return { Authorization: side.tokens[as] ?? as };
}

function bodyOf(side, step) {
	const json = step.json && filled(side, JSON.stringify(step.json));

	if (step.file) {
		const [name, fixture, type] = step.file;
		const form = new FormData();
		const bytes = readFileSync(`tests/fixtures/${fixture}`);

		form.append("file", new File([bytes], name, { type }));
		form.append("_payload", json);
		return [form, {}];
	}
	if (step.form)
		return [step.form, { "Content-Type":
			"application/x-www-form-urlencoded" }];
	return [step.raw ?? json, { "Content-Type": "application/json" }];
}

async function ask(side, step) {
	const [, method, path] = step.what.match(/^(\w+) (.*)$/);
	const [body, headers] = method === "GET" ? [undefined, {}]
		: bodyOf(side, step);
	const answer = await fetch(side.url + filled(side, path), {
		method,
		body,
		headers: { ...headers, ...authorizationOf(side, step.as ?? "admin"),
			...step.headers },
	});
	const type = answer.headers.get("content-type")?.split(";")[0] ?? null;
	const text = await answer.text();
	const json = type === "application/json" && text !== ""
		? JSON.parse(text) : undefined;

	if (step.keep && json?.doc)
		side.ids[step.keep] = json.doc.id;
	if (step.undo && json?.doc)
		await fetch(`${side.url}${path}/${json.doc.id}`, {
			method: "DELETE",
			headers: authorizationOf(side, "admin"),
		});
	const token = json?.token ?? json?.refreshedToken;
	if (step.keepToken && token)
		side.tokens[step.keepToken] = `JWT ${token}`;
	return { status: answer.status, type, body: json ?? `${text.length} bytes` };
}

/* ---- naming what differs from run to run ---- */

const rules = [
	[/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, "<time>"],
	[/^[0-9a-f]{24}$/, "<block>"],
	[/^[\w-]{10,}\.[\w-]+\.[\w-]+$/, "<token>"],
	[/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "<uuid>"],
	[/^editor-\d+-\d+@example\.com$/, "editor@example.com"],
];

/* Of which collection is an id at this path of a step's answer? */
const collectionAt = (step, path) =>
	/\.images|\.input/.test(path) ? "media" : step.what.split(/[/?]/)[2];

/* An id is named after the step that kept it. */
function named(side, step, path, key, value) {
	if (typeof value === "string") {
		const rule = rules.find(([pattern]) => pattern.test(value));

		return rule ? rule[1] : value.replaceAll(side.url, "<url>");
	}
	if (typeof value !== "number")
		return value;
	if (key === "exp" || key === "executionTimeMs")
		return "<number>";
	if (key !== "id" && key !== "images")
		return value;
	const collection = collectionAt(step, path);
	return steps.find(({ keep, what }) => keep && side.ids[keep] === value &&
		what.split(/[/?]/)[2] === collection)?.keep ?? "<id>";
}

/* path → value, of every leaf. */
function leaves(side, step, value, path = "", key = "", into = new Map()) {
	if (value === null || typeof value !== "object")
		into.set(path || ".", named(side, step, path, key, value));
	else if (Array.isArray(value)) {
		into.set(`${path}.length`, value.length);
		value.forEach((v, i) =>
			leaves(side, step, v, `${path}[${i}]`, key, into));
	} else if (Object.keys(value).length === 0)
		into.set(path || ".", "{}");
	else
		for (const [k, v] of Object.entries(value))
			leaves(side, step, v, `${path}.${k}`, k, into);
	return into;
}

/* ---- comparing ---- */

/* Of answers with different statuses, which have nothing in common, only that
 * and what they say. */
const said = ({ status, body }) =>
	({ status, says: body?.errors?.[0]?.message ?? body?.message });

function differences(step, answers) {
	const alike = answers.ours.status === answers.theirs.status;
	const [ours, theirs] = ["ours", "theirs"].map((name) =>
		leaves(sides[name], step,
			alike ? answers[name] : said(answers[name])));
	const fields = new Set([...ours.keys(), ...theirs.keys()]);
	const found = [];

	for (const field of fields) {
		const pair = [ours.get(field), theirs.get(field)];

		if (pair[0] !== pair[1])
			found.push({ step: step.name, field, pair });
	}
	return found;
}

const pattern = (text) => new RegExp(`^${text.slice(1, -1)
	.replace(/[.[\](){}+?^$\\|]/g, "\\$&").replaceAll("*", ".*")}$`);

const patterns = (cell) => cell.match(/`[^`]+`/g).map(pattern);

function reasons() {
	const rows = readFileSync(join(here, "README.md"), "utf8").split("\n")
		.map((line) => line.replace(/^\| | \|$/g, "").split(" | "))
		.filter((cells) => cells.length === 3 && cells[0][0] === "`");

	return rows.map(([names, fields, why]) => ({
		row: `${names} | ${fields} | ${why}`,
		names: patterns(names),
		fields: patterns(fields),
		used: 0,
	}));
}

const show = (value) => value === undefined ? "(not there)"
	: JSON.stringify(value);

const known = reasons();
const open = [], explained = [];
for (const [name, side] of Object.entries(sides))
	side.tokens.editor = await editorOf(name, side.url);
for (const step of steps) {
	const answers = {};

	for (const [name, side] of Object.entries(sides))
		answers[name] = await ask(side, step);
	for (const found of differences(step, answers)) {
		const reason = known.find(({ names, fields }) =>
			names.some((p) => p.test(found.step)) &&
			fields.some((p) => p.test(found.field)));

		if (reason)
			reason.used++;
		(reason ? explained : open).push(found);
	}
}

function print(list) {
	for (const { step, field, pair } of list)
		console.log(`${step} | ${field} | ours ${show(pair[0])} | ` +
			`Payload's ${show(pair[1])}`);
}

if (process.argv.includes("--all"))
	print(explained);
print(open);
const idle = known.filter((reason) => reason.used === 0);
for (const { row } of idle)
	console.log(`no longer so: ${row}`);
console.log(`${steps.length} requests: ${explained.length} differences with ` +
	`a reason, ${open.length} without`);
process.exitCode = open.length + idle.length > 0 ? 1 : 0;
