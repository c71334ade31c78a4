/* Signing in, who am I, going on, and being refused. */
import { admin, editor, fetchJson, nobody, refusal, sdk, tag }
	from "./site.mjs";
import { done, is, like, ok, refused } from "./tap.mjs";

const collection = "users";
const { EDITOR_EMAIL: email, EDITOR_PASSWORD: password } = process.env;

const signed = await nobody.login({ collection, data: { email, password } });
is(signed.message, "Authentication Passed", "login");
is([signed.user.email, signed.user.role], [email, "editor"], "as the user");
like(signed.token, /^[\w-]+\.[\w-]+\.[\w-]+$/, "with a token");
ok(Math.abs(signed.exp - Date.now() / 1000 - 7200) < 600, "for two hours");
ok(!/password|hash|salt|apiKeyIndex/.test(JSON.stringify(signed.user)),
	"and no secret");

for (const scheme of ["JWT", "Bearer"]) {
	const me = await sdk(`${scheme} ${signed.token}`).me({ collection });

	is([me.user.email, me.collection, me.exp, me.message],
		[email, "users", signed.exp, "Account"], `me, by ${scheme}`);
}
is((await editor.me({ collection })).user.email, email, "me, by an API key");
is(await nobody.me({ collection }), { user: null, message: "Account" },
	"nobody is null");

const own = sdk(`JWT ${signed.token}`);
const next = await own.refreshToken({ collection });
is([next.message, next.strategy], ["Token refresh successful.", "local-jwt"],
	"refreshToken");
is([next.user.email, next.user._strategy], [email, "local-jwt"],
	"of the user");
ok(next.exp >= signed.exp, "lasts as long again");
is((await sdk(`JWT ${next.refreshedToken}`).me({ collection })).user.email,
	email, "the new token is good");

await refused(
	nobody.login({ collection, data: { email, password: "wrong" } }), 401,
	"The email or password provided is incorrect.", "a wrong password");
await refused(nobody.refreshToken({ collection }), ...refusal,
	"nobody goes on");

const out = await fetchJson("/api/users/logout",
	`JWT ${next.refreshedToken}`, { method: "POST" });
is([out.status, out.body.message], [200, "Logout successful."], "logout");
is((await sdk(`JWT ${next.refreshedToken}`).me({ collection })).user, null,
	"the token is no longer good");

/* ---- accounts, several at once ---- */

for (const name of ["one", "two"])
	await admin.create({ collection, data: { password: "long enough",
		email: `${name}-${tag}@example.com` } });
const where = { email: { contains: tag } };
const changed = await admin.update({ collection, where,
	data: { role: "operator" } });
is([changed.docs.map((doc) => doc.role), changed.errors],
	[["operator", "operator"], []], "update with a where");
await refused(editor.update({ collection, where, data: { role: "admin" } }),
	...refusal, "which is not an editor's to do");
await refused(editor.delete({ collection, where }), ...refusal,
	"nor is delete");
is((await admin.delete({ collection, where })).docs.length, 2,
	"delete with a where");
is((await admin.find({ collection, where })).totalDocs, 0, "they are gone");
done();
