/*
 * The page for people: sign in, upload, watch the job until the galleries
 * show the picture.  It talks to the public API only; the session is the
 * HttpOnly cookie that the login sets, so no token is within reach here.
 * Text from the server goes into the page as text, never as HTML.
 */
'use strict';

const $ = (id) => document.getElementById(id);

const POLL_MS = 100; /* how often a job is looked at */
const POLL_MAX_MS = 90 * 1000;

/* A call of the API; an answer that is no success throws its own message. */
async function api(method, path, body) {
	const answer = await fetch(path, {
		method,
		headers: body ? { 'Content-Type': 'application/json' } : {},
		body: body ? JSON.stringify(body) : undefined,
	});
	const doc = await answer.json().catch(() => null);
	if (!answer.ok) {
		throw new Error(messageOf(doc) || `The server answered ${answer.status}.`);
	}
	return doc;
}

/* Payload's errors: the field's own message where there is one. */
function messageOf(doc) {
	const error = doc && doc.errors && doc.errors[0];
	const field = error && error.data && error.data.errors && error.data.errors[0];
	if (field) {
		return `${field.path}: ${field.message}`;
	}
	return error && error.message;
}

function element(tag, text, className) {
	const e = document.createElement(tag);
	if (text !== undefined) {
		e.textContent = text;
	}
	if (className) {
		e.className = className;
	}
	return e;
}

/* --- signing in --- */

let seesJobs = false; /* the roles that may look at the queue */

function showWho(user) {
	seesJobs = user !== null && ['admin', 'operator'].includes(user.role);
	$('sign-in').hidden = user !== null;
	$('work').hidden = user === null;
	$('who').hidden = user === null;
	$('email').textContent = user ? user.email : '';
	if (user) {
		showGalleries(null).catch(showUploadError);
	} else {
		$('steps').replaceChildren();
		$('galleries').replaceChildren();
	}
}

async function signIn(event) {
	event.preventDefault();
	const form = event.target;
	$('sign-in-error').textContent = '';
	try {
		const answer = await api('POST', '/api/users/login', {
			email: form.email.value,
			password: form.password.value,
		});
		form.reset();
		showWho(answer.user);
	} catch (e) {
		$('sign-in-error').textContent = e.message;
	}
}

/* Asks who is left: a page that only looks signed out would hand a living
 * session to the next person at this screen. */
async function signOut() {
	await api('POST', '/api/users/logout').catch(() => null);
	await api('GET', '/api/users/me').then((me) => showWho(me.user)).catch(showUploadError);
}

/* --- galleries --- */

/* Every gallery block of a layout, nested ones too. */
function galleriesIn(value, found = []) {
	if (Array.isArray(value)) {
		value.forEach((v) => galleriesIn(v, found));
	} else if (value !== null && typeof value === 'object') {
		if (value.blockType === 'gallery') {
			found.push(value);
		}
		Object.entries(value).forEach(([key, v]) => {
			if (key !== 'images') {
				galleriesIn(v, found);
			}
		});
	}
	return found;
}

function figureOf(media, isNew) {
	const item = element('li', undefined, isNew ? 'new' : '');
	const figure = element('figure');
	if (media.mimeType.startsWith('image/')) {
		const image = element('img');
		image.src = media.url;
		image.alt = media.alt || media.filename;
		image.loading = 'lazy';
		figure.append(image);
	} else {
		const link = element('a', media.mimeType, 'file');
		link.href = media.url;
		figure.append(link);
	}
	figure.append(element('figcaption', media.filename));
	item.append(figure);
	return item;
}

function sectionOf(page, gallery, newId) {
	const section = element('div', undefined, 'gallery');
	const how = gallery.autoSyncMedia ? 'takes new pictures by itself' : 'filled by hand';
	section.append(element('h3', `${page.title} (${how})`));
	if (gallery.images.length === 0) {
		section.append(element('p', 'No pictures yet.', 'none'));
		return section;
	}
	const list = element('ul');
	/* Newest first: that is what one looks for. */
	list.append(...gallery.images.slice().reverse()
		.map((m) => figureOf(m, m.id === newId)));
	section.append(list);
	return section;
}

/* Draw all galleries; how many of them show the picture newId. */
async function showGalleries(newId) {
	const pages = await api('GET', '/api/pages?depth=1&limit=100&sort=id');
	const sections = [];
	let showing = 0;
	for (const page of pages.docs) {
		for (const gallery of galleriesIn(page.layout)) {
			showing += gallery.images.some((m) => m.id === newId);
			sections.push(sectionOf(page, gallery, newId));
		}
	}
	$('galleries').replaceChildren(...sections);
	if (sections.length === 0) {
		$('galleries').append(element('p', 'There is no page with a gallery yet. Create one: POST /api/pages.', 'none'));
	}
	return showing;
}

/* --- uploading, and following the job --- */

function showUploadError(e) {
	$('upload-error').textContent = e.message;
}

/* A line of what happened, with the time since the upload began. */
function step(start, text) {
	const item = element('li', text);
	item.append(element('time', `${Math.round(performance.now() - start)} ms`));
	$('steps').append(item);
}

/* XMLHttpRequest: fetch cannot tell how much of a body has been sent. */
function send(form) {
	return new Promise((resolve, reject) => {
		const data = new FormData();
		const call = new XMLHttpRequest();
		data.append('_payload', JSON.stringify({ alt: form.alt.value }));
		data.append('file', form.file.files[0]);
		call.upload.onprogress = (e) => {
			if (e.lengthComputable) {
				$('progress').value = e.loaded / e.total;
			}
		};
		call.responseType = 'json';
		call.onload = () => (call.status === 201
			? resolve(call.response)
			: reject(new Error(messageOf(call.response) || `The server answered ${call.status}.`)));
		call.onerror = () => reject(new Error('The connection was lost.'));
		call.open('POST', '/api/media');
		call.send(data);
	});
}

function pause() {
	return new Promise((wake) => setTimeout(wake, POLL_MS));
}

/* An editor may not look at the queue, but sees the picture arrive. */
async function awaitPicture(id, start) {
	while (await showGalleries(id) === 0) {
		if (performance.now() - start > POLL_MAX_MS) {
			throw new Error('No gallery shows the picture yet.');
		}
		await pause();
	}
}

/* Until the job has ended, or took longer than anybody watches. */
async function follow(id, start) {
	let last = '';
	while (performance.now() - start < POLL_MAX_MS) {
		const job = await api('GET', `/api/payload-jobs/${id}`);
		if (job.state !== last) {
			step(start, `Job ${id} is ${job.state}.`);
			last = job.state;
		}
		if (job.state === 'done') {
			return;
		}
		if (job.state === 'failed' || job.state === 'cancelled') {
			throw new Error(job.error ? job.error.message : 'The job failed.');
		}
		await pause();
	}
	throw new Error('The job takes long. It will go on without this page.');
}

async function upload(event) {
	event.preventDefault();
	const form = event.target;
	const button = form.querySelector('button');
	const start = performance.now();
	$('upload-error').textContent = '';
	$('steps').replaceChildren();
	$('progress').value = 0;
	$('progress').hidden = false;
	button.disabled = true;
	try {
		const answer = await send(form);
		step(start, `${answer.doc.filename} is stored and answered.`);
		form.reset();
		await (seesJobs ? follow(answer.job.id, start) : awaitPicture(answer.doc.id, start));
		const showing = await showGalleries(answer.doc.id);
		step(start, showing === 1 ? '1 gallery shows it.' : `${showing} galleries show it.`);
	} catch (e) {
		showUploadError(e);
	} finally {
		$('progress').hidden = true;
		button.disabled = false;
	}
}

$('sign-in').addEventListener('submit', signIn);
$('sign-out').addEventListener('click', signOut);
$('upload').addEventListener('submit', upload);
api('GET', '/api/users/me').then((me) => showWho(me.user)).catch(() => showWho(null));
