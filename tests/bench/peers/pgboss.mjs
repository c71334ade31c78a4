/*
 * pgboss: pg-boss at what tests/bench/queue.bash measures.
 *
 *	pgboss run N	stores N jobs without work and does them, two workers
 *			with a thousand a fetch: jobs a second, from the first
 *			fetch on
 *
 * The database is the one that PGHOST, PGPORT, PGUSER and PGDATABASE name.
 */
import { PgBoss } from "pg-boss";

async function fill(boss, n) {
	for (let i = 0; i < n; i += 1000)
		await boss.insert("noop",
			Array.from({ length: 1000 }, () => ({ data: {} })));
}

async function drain(boss, n) {
	let left = n, allDone;
	const done = new Promise((resolve) => (allDone = resolve));
	const startMs = performance.now();

	await boss.work("noop", {
		batchSize: 1000,
		localConcurrency: 2,
		pollingIntervalSeconds: 0.5,
		burstWhenBatchFull: true,
	}, async (jobs) => {
		left -= jobs.length;
		if (left <= 0)
			allDone();
	});
	await done;
	await boss.offWork("noop", { wait: true });
	return ((n * 1e3) / (performance.now() - startMs)).toFixed(0);
}

const [what, n] = process.argv.slice(2);
const boss = new PgBoss({
	host: process.env.PGHOST,
	port: Number(process.env.PGPORT),
	user: process.env.PGUSER,
	database: process.env.PGDATABASE,
	supervise: false,
	schedule: false,
});

boss.on("error", (e) => console.error(e.message));
await boss.start();
await boss.createQueue("noop");
if (what === "run") {
	await fill(boss, Number(n));
	console.log(await drain(boss, Number(n)));
} else
	process.exitCode = 64;
await boss.deleteAllJobs("noop");
await boss.stop();
