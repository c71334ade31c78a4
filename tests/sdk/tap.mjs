/*
 * tap: the few words of a test, printed as TAP.  A failure says on standard
 * error what came and what should have come, as tests/lib.sh does.
 */
import { isDeepStrictEqual, inspect } from "node:util";

let run = 0, failed = 0;

export function ok(good, what, ...why) {
	run++;
	console.log(`${good ? "ok" : "not ok"} ${run} - ${what}`);
	if (good)
		return;
	failed++;
	console.error(`# not ok ${run} - ${what}`);
	for (const line of why)
		console.error(`# ${line}`);
}

const show = (value) =>
	inspect(value, { depth: 9, breakLength: 70 }).replace(/\n/g, "\n# ");

export function is(got, want, what) {
	ok(isDeepStrictEqual(got, want), what, `     got: ${show(got)}`,
		`expected: ${show(want)}`);
}

export function like(got, pattern, what) {
	ok(pattern.test(String(got)), what, `     got: ${show(got)}`,
		`no match: ${pattern}`);
}

/* The call is refused: with this status, or one of these, and the first error's
 * message, a text or a pattern.  Gives the error for more questions. */
export async function refused(call, status, message, what) {
	let e = {};

	try {
		await call;
	} catch (thrown) {
		e = thrown;
	}
	const said = message instanceof RegExp ? message.test(e.message)
		: message === e.message;
	ok([status].flat().includes(e.status) && said, what,
		`     got: ${e.status} ${e.message}`,
		`expected: ${status} ${message}`);
	return e;
}

export function done() {
	console.log(`1..${run}`);
	process.exitCode = run > 0 && failed === 0 ? 0 : 1;
}
