/*
 * graphile: graphile-worker at what tests/bench/queue.bash measures.
 *
 *	graphile migrate		its schema
 *	graphile fill N			stores N jobs
 *	graphile add N			addJobs() of 1,000, N jobs in all after
 *					some to warm up: jobs a second
 *	graphile run best|default N	until the N waiting jobs are done: jobs
 *					a second
 *	graphile listen N		says "ready"; when N jobs have begun,
 *					prints the p50 and p99 of the time from
 *					payload.at (µs since 1970) until then
 *
 * The database is the one that PGHOST, PGPORT, PGUSER and PGDATABASE name.
 * Nothing is counted against it that a long-lived process does once: the time
 * runs from the moment its modules are loaded and its pool is connected.
 */
import { setTimeout } from "node:timers/promises";
import pg from "pg";
import {
	Logger,
	makeWorkerUtils,
	run,
	runMigrations,
} from "graphile-worker";

const logger = new Logger(() => () => {});
const presets = {
	/* Its documentation's "performance" page; sizes tried here. */
	best: {
		concurrentJobs: 10,
		localQueue: { size: 500 },
		completeJobBatchDelay: 0,
		failJobBatchDelay: 0,
	},
	default: { concurrentJobs: 10 },
	listen: { concurrentJobs: 1, pollInterval: 60000 },
};

const nowUs = () => (performance.timeOrigin + performance.now()) * 1000;

function percentile(sorted, percent) {
	return sorted[Math.max(Math.ceil((sorted.length * percent) / 100), 1) - 1];
}

async function connect() {
	const pool = new pg.Pool({ max: 12 });

	pool.on("error", () => {});
	pool.on("connect", (client) => client.on("error", () => {}));
	await pool.query("SELECT 1");
	return pool;
}

async function add(pool, warm, n) {
	const utils = await makeWorkerUtils({ pgPool: pool, logger });
	const thousand = (from) =>
		Array.from({ length: 1000 }, (_, i) => ({
			identifier: "noop",
			payload: {
				orderId: from + i + 1,
				email: "a@example.com",
				plan: "pro",
			},
		}));
	let startUs;

	for (let i = -warm; i < n; i += 1000) {
		if (i === 0)
			startUs = nowUs();
		await utils.addJobs(thousand(i + warm).slice(0, n - i));
	}
	const rate = (n * 1e6) / (nowUs() - startUs);
	await utils.release();
	return rate.toFixed(0);
}

/* The last jobs have run; they are done when they are gone. */
async function isEmpty(pool) {
	const sql = "SELECT EXISTS (SELECT FROM graphile_worker._private_jobs) AS any";

	while ((await pool.query(sql)).rows[0].any)
		await setTimeout(2);
}

async function drain(pool, preset, n) {
	const startUs = nowUs();
	let left = n, allDone;
	const done = new Promise((resolve) => (allDone = resolve));
	const runner = await run({
		pgPool: pool,
		logger,
		noHandleSignals: true,
		preset: { worker: presets[preset] },
		taskList: { noop: () => void (--left === 0 && allDone()) },
	});

	await done;
	await isEmpty(pool);
	const rate = (n * 1e6) / (nowUs() - startUs);
	await runner.stop();
	return rate.toFixed(0);
}

async function listen(pool, n) {
	const took = [];
	let allDone;
	const done = new Promise((resolve) => (allDone = resolve));
	const runner = await run({
		pgPool: pool,
		logger,
		noHandleSignals: true,
		preset: { worker: presets.listen },
		taskList: {
			noop: ({ at }) => {
				if (took.push(nowUs() - at) === n)
					allDone();
			},
		},
	});

	console.log("ready");
	await done;
	await runner.stop();
	took.sort((a, b) => a - b);
	return [50, 99].map((p) => percentile(took, p).toFixed(0)).join(" ");
}

const [what, ...args] = process.argv.slice(2);
const pool = await connect();

if (what === "migrate")
	await runMigrations({ pgPool: pool, logger });
else if (what === "fill")
	await add(pool, 0, Number(args[0]));
else if (what === "add")
	console.log(await add(pool, 5000, Number(args[0])));
else if (what === "run")
	console.log(await drain(pool, args[0], Number(args[1])));
else if (what === "listen")
	console.log(await listen(pool, Number(args[0])));
else
	process.exitCode = 64;
await pool.end();
