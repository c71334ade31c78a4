/*
 * payload: a real Payload on a port of loopback, without Next.js: its own
 * handleEndpoints() behind node's HTTP server.
 *
 *	payload PORT FOLDER	serves http://127.0.0.1:PORT/api until SIGTERM;
 *				media files go into FOLDER; prints "ready"
 *
 * Its collections are ours as far as its configuration can say them: the same
 * fields, and the same people may do the same.  The database is the one of
 * PGHOST, PGPORT, PGUSER and PGDATABASE.  An administrator is made of
 * COMPAT_EMAIL, COMPAT_PASSWORD and COMPAT_KEY.
 */
import { createServer } from "node:http";
import { postgresAdapter } from "@payloadcms/db-postgres";
import { buildConfig, getPayload, handleEndpoints } from "payload";
import sharp from "sharp";

const [port, folder] = process.argv.slice(2);
const env = process.env;
const url = `http://127.0.0.1:${port}`;

const anyone = () => true;
const signedIn = ({ req }) => Boolean(req.user);
const isAdmin = ({ req }) => req.user?.role === "admin";
const self = ({ req }) =>
	isAdmin({ req }) || (req.user ? { id: { equals: req.user.id } } : false);
const operates = ({ req }) =>
	["admin", "operator"].includes(req.user?.role);
const written = {
	read: anyone, create: signedIn, update: signedIn, delete: signedIn,
};

const users = {
	slug: "users",
	auth: { useAPIKey: true, maxLoginAttempts: 5, lockTime: 600e3 },
	access: {
		read: self, create: isAdmin, update: self, delete: isAdmin,
		unlock: isAdmin,
	},
	fields: [{
		name: "role",
		type: "select",
		options: ["admin", "editor", "operator"],
		required: true,
		defaultValue: "editor",
		saveToJWT: true,
		access: { update: isAdmin },
	}],
};

const media = {
	slug: "media",
	labels: { singular: "Media", plural: "Media" },
	access: written,
	upload: {
		staticDir: folder,
		mimeTypes: ["image/*", "application/pdf", "video/mp4"],
	},
	fields: [{ name: "alt", type: "text" }],
};

const gallery = {
	slug: "gallery",
	fields: [
		{ name: "autoSyncMedia", type: "checkbox", defaultValue: false },
		{ name: "caption", type: "text" },
		{ name: "images", type: "upload", relationTo: "media",
			hasMany: true },
	],
};

const pages = {
	slug: "pages",
	access: written,
	fields: [
		{ name: "title", type: "text", required: true },
		{ name: "slug", type: "text", required: true, unique: true },
		{ name: "layout", type: "blocks", blocks: [gallery,
			{ slug: "text", fields: [{ name: "body", type: "json" }] },
		] },
	],
};

const config = buildConfig({
	secret: env.COMPAT_KEY.repeat(2),
	serverURL: env.COMPAT_SERVER_URL ?? "",
	collections: [users, media, pages],
	db: postgresAdapter({ pool: { max: 4 }, push: true }),
	jobs: {
		access: { run: operates, queue: operates, cancel: operates },
		deleteJobOnComplete: false,
		tasks: [{
			slug: "noop",
			inputSchema: [{ name: "n", type: "number" }],
			handler: () => ({ output: {} }),
		}],
		jobsCollectionOverrides: ({ defaultJobsCollection: jobs }) => ({
			...jobs,
			access: { ...jobs.access, read: operates },
		}),
	},
	sharp,
	logger: { options: { level: "error" } },
	telemetry: false,
	typescript: { autoGenerate: false },
	graphQL: { disable: true },
});

async function answer(incoming, outgoing) {
	const hasBody = !["GET", "HEAD"].includes(incoming.method);
	const chunks = [];

	for await (const chunk of incoming)
		chunks.push(chunk);
	const response = await handleEndpoints({
		config,
		request: new Request(url + incoming.url, {
			method: incoming.method,
			headers: incoming.headers,
			body: hasBody ? Buffer.concat(chunks) : undefined,
		}),
	});
	outgoing.statusCode = response.status;
	for (const [name, value] of response.headers)
		outgoing.appendHeader(name, value);
	outgoing.end(Buffer.from(await response.arrayBuffer()));
}

const payload = await getPayload({ config });

await payload.create({
	collection: "users",
	data: {
		email: env.COMPAT_EMAIL,
		password: env.COMPAT_PASSWORD,
		role: "admin",
		enableAPIKey: true,
		apiKey: env.COMPAT_KEY,
	},
});
createServer((incoming, outgoing) => {
	answer(incoming, outgoing).catch((e) => {
		console.error(e);
		outgoing.destroy();
	});
}).listen(port, "127.0.0.1", () => console.log("ready"));
process.on("SIGTERM", () => process.exit(0));
