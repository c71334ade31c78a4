/* The jobs, by plain fetch: enqueued, run, read, cancelled, tried again. */
import { adminKey, editorKey, fetchJson, tag } from "./site.mjs";
import { done, is, like, ok } from "./tap.mjs";

const jobs = "/api/payload-jobs";
const cron = `Bearer ${process.env.CRON_SECRET}`;
const get = (path, who = adminKey) => fetchJson(`${jobs}${path}`, who);
const post = (path, json = {}, who = adminKey) =>
	fetchJson(`${jobs}${path}`, who, { json });
const order = { task: "noop", input: {}, queue: tag };

const made = await post("", order);
is([made.status, made.body.message], [201, "Job successfully created."],
	"a job is made");
is([made.body.doc.taskSlug, made.body.doc.queue, made.body.doc.hasError],
	["noop", tag, false], "as it was ordered");
const { id } = made.body.doc;

async function runAll() {
	for (let tries = 0; tries < 100; tries++) {
		const { body, status } = await get(`/run?queue=${tag}`, cron);

		if (status !== 200 || body.noJobsRemaining)
			return [status, body.message, body.success];
		await new Promise((then) => setTimeout(then, 100));
	}
}
is(await runAll(), [200, "Success", true], "a ping runs what there is");
const one = await get(`/${id}`);
ok(one.body.completedAt !== null, "the job is done", one.body);
is([one.body.totalTried, one.body.processing], [1, false], "at the first try");

const later = new Date(Date.now() + 3600e3).toISOString();
const waits = await post("", { ...order, waitUntil: later });
is(waits.body.doc.waitUntil, later, "a job for later");
const { id: waiting } = waits.body.doc;
const cancelled = await post(`/${waiting}/cancel`);
is([cancelled.status, cancelled.body.doc.error.cancelled], [200, true],
	"is cancelled");
is((await post(`/${waiting}/retry`)).status, 200, "and revived");
is(await runAll(), [200, "Success", true], "and run");
is((await get(`/${waiting}`)).body.hasError, false, "to its end");

const many = await post("", [order, order]);
is([many.status, many.body.ids.length], [201, 2], "two at once");
is((await post("", [order, { task: "none" }])).status, 400,
	"all of a list or none");
const bad = await post("", { task: `no-${tag}` });
is([bad.status, typeof bad.body.errors[0].message], [400, "string"],
	"a task that there is not");

const list = await get("?limit=1");
is([list.status, list.body.docs.length, list.body.limit], [200, 1, 1],
	"the list");
ok((await get("/count")).body.totalDocs >= 4, "the count");
ok((await get("/stats", cron)).body.queues !== undefined, "figures");
is((await get("/999999999999")).body.errors[0].message, "Not Found",
	"a job that there is not");
for (const [name, who] of [["nobody", null], ["an editor", editorKey]]) {
	like((await get("", who)).status, /^40[13]$/, `${name}: the list`);
	like((await post("", order, who)).status, /^40[13]$/,
		`${name}: enqueue`);
	is((await get("/run", who)).status, 401, `${name}: run is 401`);
}
for (const action of ["pause", "resume"])
	is((await post(`/queues/${tag}/${action}`)).body.paused,
		action === "pause", action);
done();
