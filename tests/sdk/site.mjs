/*
 * site: the server under test, as its clients see it.
 *
 *	sdk("users API-Key …")   the SDK with that Authorization; nobody's without
 *	admin, editor, nobody    three of them
 *	fetchJson(path, …)       plain fetch: { status, headers, body }
 *	picture(name)            a File: one of tests/fixtures under that name
 *	tag                      a text that no other test has, for slugs
 */
import { readFileSync } from "node:fs";
import { File } from "node:buffer";
import { PayloadSDK } from "@payloadcms/sdk";

const env = process.env;

/* How a call is refused that wants somebody: who may what is another test's. */
export const refusal = [[401, 403], /logged in|not allowed/];

export const url = env.SERVER_URL;
export const adminKey = `users API-Key ${env.API_KEY}`;
export const editorKey = `users API-Key ${env.EDITOR_KEY}`;
export const tag =
	`sdk-${process.pid}-${Math.floor(Math.random() * 1e9).toString(36)}x`;

const headersOf = (authorization) =>
	authorization ? { Authorization: authorization } : {};

export const sdk = (authorization) =>
	new PayloadSDK({
		baseURL: `${url}/api`,
		baseInit: { headers: headersOf(authorization) },
	});

export const admin = sdk(adminKey);
export const editor = sdk(editorKey);
export const nobody = sdk();

export async function fetchJson(path, authorization, init = {}) {
	const { json, ...rest } = init;
	const headers = { ...headersOf(authorization), ...rest.headers };

	if (json !== undefined) {
		headers["Content-Type"] = "application/json";
		rest.body = JSON.stringify(json);
		rest.method ??= "POST";
	}
	const answer = await fetch(`${url}${path}`, { ...rest, headers });
	const text = await answer.text();
	return {
		status: answer.status,
		headers: answer.headers,
		body: text === "" ? undefined : JSON.parse(text),
	};
}

export const picture = (name = `${tag}.jpg`, fixture = "small.jpg",
	type = "image/jpeg") =>
	new File([readFileSync(`tests/fixtures/${fixture}`)], name, { type });
