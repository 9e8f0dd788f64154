import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { STALE_MS, createKeep, memoryRows } from "../../static/app/lib/keep.js";
import { MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, Upload, sniffType } from "../../static/app/lib/upload.js";
import { createUploads } from "../../static/app/lib/uploads.js";
import { TusServer } from "./support/tus.js";

const LIMITS = { file_bytes: 50000000, file_types: ["application/pdf", "image/jpeg", "image/png"] };
const KIB = 1024;

/** A PDF of any size, the same bytes every time. @param {number} size */
function pdf(size) {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i += 1) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  bytes.write("%PDF-1.7\n");
  return bytes;
}

/** @param {Uint8Array} bytes @param {string} [name] */
const fileOf = (bytes, name = "申請書.pdf") =>
  Object.assign(new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]), { name });

/** @param {Uint8Array} bytes */
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Waits last a hundredth, so that tests do not wait and order stays. @param {() => void} run @param {number} ms */
const quick = (run, ms) => setTimeout(run, ms >= 10_000 ? ms : ms / 100);

/**
 * @param {TusServer} server
 * @param {Uint8Array} bytes
 * @param {Partial<import("../../static/app/lib/upload.js").UploadOptions>} [options]
 */
function uploadOf(server, bytes, options = {}) {
  return new Upload({
    file: fileOf(bytes),
    url: server.url,
    csrf: async () => "good",
    limits: LIMITS,
    chunkBytes: 100 * KIB,
    now: () => 0,
    random: () => 0,
    setTimer: quick,
    ...options,
  });
}

/** @param {Upload} upload */
function watch(upload) {
  /** @type {import("../../static/app/lib/upload.js").Progress[]} */
  const seen = [];
  upload.on("progress", (progress) => seen.push(progress));
  return seen;
}

test("a file arrives whole, announced by name, size and hash", async (context) => {
  const server = await new TusServer().start(context);
  const bytes = pdf(350 * KIB);
  const upload = uploadOf(server, bytes);
  const seen = watch(upload);
  const { id, sha256: hash } = await upload.start();
  assert.equal(id, "f1");
  assert.equal(hash, sha256(bytes));
  const stored = server.files.get("f1");
  assert.ok(stored?.data.equals(bytes));
  assert.deepEqual(stored?.metadata, { filename: "申請書.pdf", sha256: sha256(bytes) });
  assert.equal(seen[0].phase, "hashing");
  assert.deepEqual(seen.at(-1), { phase: "done", sent: bytes.length, total: bytes.length });
  const sent = seen.map((p) => p.sent);
  assert.deepEqual(sent, sent.toSorted((a, b) => a - b));
});

for (const size of [9, 100 * KIB - 1, 100 * KIB, 100 * KIB + 1]) {
  test(`a file of ${size} bytes, at the border of a chunk, arrives whole`, async (context) => {
    const server = await new TusServer().start(context);
    const bytes = pdf(size);
    await uploadOf(server, bytes).start();
    assert.ok(server.files.get("f1")?.data.equals(bytes));
  });
}

test("chunks grow while the line is fast and stay within their bounds", async (context) => {
  const server = await new TusServer().start(context);
  const fast = uploadOf(server, pdf(12 * KIB * KIB), { chunkBytes: MIN_CHUNK_BYTES });
  const seen = watch(fast);
  await fast.start();
  const steps = seen.filter((p) => p.phase === "sending").map((p) => p.sent);
  const sizes = steps.slice(1).map((at, i) => at - steps[i]);
  assert.equal(sizes[0], MIN_CHUNK_BYTES);
  assert.equal(Math.max(...sizes), MAX_CHUNK_BYTES);
});

test("a cut in the middle of a chunk goes on from the byte that arrived", async (context) => {
  const server = await new TusServer().start(context);
  const bytes = pdf(300 * KIB);
  server.cutAfter = 40 * KIB + 7;
  const upload = uploadOf(server, bytes);
  const seen = watch(upload);
  await upload.start();
  assert.ok(server.files.get("f1")?.data.equals(bytes));
  assert.deepEqual(server.steps.slice(0, 3), ["POST 201", "PATCH 0", "HEAD 200"]);
  assert.ok(seen.some((p) => p.phase === "waiting"));
});

test("an answer that was lost is not sent twice", async (context) => {
  const server = await new TusServer().start(context);
  const bytes = pdf(50 * KIB);
  server.loseAnswer = true;
  await uploadOf(server, bytes).start();
  assert.ok(server.files.get("f1")?.data.equals(bytes));
  assert.deepEqual(server.steps, ["POST 201", "PATCH 0", "HEAD 200"]);
});

test("a wrong offset makes the page ask where to go on", async (context) => {
  const server = await new TusServer().start(context);
  const bytes = pdf(150 * KIB);
  server.faults.push({ method: "PATCH", status: 409, code: "wrong_offset" });
  await uploadOf(server, bytes).start();
  assert.ok(server.files.get("f1")?.data.equals(bytes));
  assert.deepEqual(server.steps.slice(0, 3), ["POST 201", "PATCH 409", "HEAD 200"]);
});

test("a chunk whose checksum did not match is sent again", async (context) => {
  const server = await new TusServer().start(context);
  const bytes = pdf(150 * KIB);
  let wrong = true;
  const digest = async (/** @type {Uint8Array<ArrayBuffer>} */ part) => {
    const spoilt = part.length < bytes.length && wrong;
    if (spoilt) wrong = false;
    return crypto.subtle.digest("SHA-256", spoilt ? new Uint8Array(1) : part);
  };
  await uploadOf(server, bytes, { digest }).start();
  assert.ok(server.steps.includes("PATCH 460"));
  assert.ok(server.files.get("f1")?.data.equals(bytes));
});

test("checksums that never match end the upload instead of repeating it for ever", async (context) => {
  const server = await new TusServer().start(context);
  server.faults = Array.from({ length: 50 }, () => ({ method: "PATCH", status: 460 }));
  const upload = uploadOf(server, pdf(50 * KIB));
  await assert.rejects(upload.start(), { code: "checksum_mismatch" });
  assert.equal(upload.phase, "failed");
  assert.ok(server.log.length < 20);
});

test("a server that is away is waited for", async (context) => {
  const server = await new TusServer().start(context);
  server.faults = Array.from({ length: 12 }, () => ({ method: "POST", status: 503 }));
  const bytes = pdf(50 * KIB);
  await uploadOf(server, bytes).start();
  assert.ok(server.files.get("f1")?.data.equals(bytes));
});

test("a token that has grown old is fetched anew", async (context) => {
  const server = await new TusServer().start(context);
  /** @type {boolean[]} */
  const asked = [];
  const csrf = async ({ fresh = false } = {}) => {
    asked.push(fresh);
    return fresh || asked.includes(true) ? "good" : "old";
  };
  await uploadOf(server, pdf(10 * KIB), { csrf }).start();
  assert.deepEqual(asked.slice(0, 3), [false, true, false]);
});

for (const code of ["disk_full", "too_many_files", "denied", "hash_mismatch"]) {
  test(`the server's ${code} is final and keeps its code`, async (context) => {
    const server = await new TusServer().start(context);
    server.faults.push({ method: "POST", status: 400, code });
    await assert.rejects(uploadOf(server, pdf(10 * KIB)).start(), { code });
    assert.equal(server.log.length, 1);
  });
}

test("what cannot be sent is refused before it travels", async (context) => {
  const server = await new TusServer().start(context);
  const small = { ...LIMITS, file_bytes: 1000 };
  await assert.rejects(uploadOf(server, pdf(1001), { limits: small }).start(), { code: "too_large" });
  await assert.rejects(uploadOf(server, Buffer.alloc(0)).start(), { code: "empty_file" });
  await assert.rejects(uploadOf(server, Buffer.from("GIF89a and so on")).start(), {
    code: "wrong_type",
  });
  const gone = Object.assign(new Blob(["%PDF-"]), {
    arrayBuffer: () => Promise.reject(new DOMException("gone", "NotReadableError")),
  });
  await assert.rejects(uploadOf(server, pdf(20), { file: gone }).start(), {
    code: "unreadable_file",
  });
  assert.deepEqual(server.log, []);
});

test("an upload that was stopped in the middle is taken back from the server", async (context) => {
  const server = await new TusServer().start(context);
  const upload = uploadOf(server, pdf(800 * KIB));
  const began = new Promise((resolve) => (server.onPatch = () => resolve(null)));
  const sent = assert.rejects(upload.start(), { code: "aborted" });
  await began;
  await upload.abort();
  await sent;
  assert.equal(server.files.size, 0);
  assert.equal(server.steps.at(-1), "DELETE 204");
});

test("an upload goes on after a reload from where it stood", async (context) => {
  const server = await new TusServer().start(context);
  const bytes = pdf(300 * KIB);
  server.cutAfter = 150 * KIB;
  const first = uploadOf(server, bytes, { chunkBytes: 200 * KIB });
  const cut = new Promise((resolve) => {
    first.on("progress", ({ phase }) => phase === "waiting" && resolve(null));
  });
  const stopped = assert.rejects(first.start(), { code: "aborted" });
  await cut;
  await first.abort({ remove: false });
  await stopped;
  const location = first.location ?? "";
  const before = server.log.length;
  const { id } = await uploadOf(server, bytes, { location }).start();
  assert.equal(id, "f1");
  assert.equal(server.steps[before], "HEAD 200");
  assert.ok(server.files.get("f1")?.data.equals(bytes));
});

test("a file that the server no longer knows is not found", async (context) => {
  const server = await new TusServer().start(context);
  const location = `${server.origin}/api/v1/calls/c1/files/gone?page=counter`;
  await assert.rejects(uploadOf(server, pdf(20), { location }).start(), { code: "not_found" });
});

test("types are told by the first bytes, not by the name", () => {
  const cases = /** @type {[string, number[] | string][]} */ ([
    ["application/pdf", "%PDF-1.4"],
    ["application/pdf", `${" ".repeat(500)}%PDF-1.4`],
    ["image/jpeg", [0xff, 0xd8, 0xff, 0xe0]],
    ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
    ["image/heic", "\0\0\0\x18ftypheic"],
    ["video/mp4", "\0\0\0\x18ftypisom"],
    ["application/zip", "PK\x03\x04"],
    ["image/webp", "RIFF1234WEBP"],
  ]);
  for (const [type, head] of cases) assert.equal(sniffType(Uint8Array.from(Buffer.from(/** @type {any} */ (head)))), type);
  for (const head of ["", "x", "PDF", "%PDF", "<html>", "P".repeat(2000)]) {
    assert.equal(sniffType(Buffer.from(head)), null);
  }
  assert.equal(sniffType(Buffer.from(`${" ".repeat(1025)}%PDF-`)), null);
});

/** A storage of one tab. */
function tab() {
  /** @type {Map<string, string>} */
  const kept = new Map();
  return {
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value),
  };
}

/** A page: what a reload keeps is the browser's rows and the tab's storage. @param {TusServer} server @param {{rows: import("../../static/app/lib/keep.js").Rows, storage: ReturnType<typeof tab>}} browser */
function page(server, { rows, storage }) {
  return createUploads({
    url: server.url,
    call: "c1",
    csrf: async () => "good",
    limits: LIMITS,
    chunkBytes: 100 * KIB,
    now: () => 0,
    random: () => 0,
    setTimer: quick,
    keep: createKeep({ open: async () => rows, storage }),
  });
}

/** @param {ReturnType<typeof page>} uploads @param {(items: readonly import("../../static/app/lib/uploads.js").Item[]) => boolean} wanted */
function until(uploads, wanted) {
  return new Promise((resolve) => {
    const off = uploads.items.subscribe((items) => {
      if (!wanted(items)) return;
      queueMicrotask(() => off());
      resolve(items);
    });
  });
}

/** @param {string} phase @returns {(items: readonly {phase: string}[]) => boolean} */
const all = (phase) => (items) => items.length > 0 && items.every((item) => item.phase === phase);

test("several files go one after another and each line says how far it is", async (context) => {
  const server = await new TusServer().start(context);
  const uploads = page(server, { rows: memoryRows(), storage: tab() });
  uploads.add(fileOf(pdf(150 * KIB), "一.pdf"));
  uploads.add(fileOf(pdf(50 * KIB), "二.pdf"));
  assert.deepEqual(uploads.items.value.map((i) => [i.name, i.phase]), [["一.pdf", "queued"], ["二.pdf", "queued"]]);
  await until(uploads, all("done"));
  assert.deepEqual(uploads.items.value.map((i) => i.id), ["f1", "f2"]);
  assert.equal(server.steps.indexOf("POST 201", 1) > server.steps.indexOf("PATCH 204"), true);
  uploads.dismiss(uploads.items.value[0].key);
  assert.equal(uploads.items.value.length, 1);
});

test("a reload in the middle of a file goes on by itself and leaves nothing behind", async (context) => {
  const server = await new TusServer().start(context);
  const browser = { rows: memoryRows(), storage: tab() };
  const bytes = pdf(500 * KIB);
  server.cutAfter = 120 * KIB;
  server.faults = Array.from({ length: 200 }, () => ({ method: "HEAD", status: 503 }));
  const before = page(server, browser);
  before.add(fileOf(bytes));
  await until(before, all("waiting"));
  // The page is gone: nothing of it runs on, and the server is back.
  const [row] = await browser.rows.all();
  assert.equal(Buffer.from(row.sealed).includes("%PDF"), false);
  const gone = before.items.value[0];
  const after = page(server, browser);
  server.faults = [];
  await after.resume();
  assert.deepEqual([after.items.value[0].name, after.items.value[0].key], ["申請書.pdf", gone.key]);
  await until(after, all("done"));
  assert.ok(server.files.get("f1")?.data.equals(bytes));
  assert.equal(server.files.size, 1);
  await before.forget();
  assert.deepEqual(await browser.rows.all(), []);
});

test("a failed line says why and may be tried again", async (context) => {
  const server = await new TusServer().start(context);
  const uploads = page(server, { rows: memoryRows(), storage: tab() });
  server.faults.push({ method: "POST", status: 503, code: "disk_full" });
  const key = uploads.add(fileOf(pdf(10 * KIB)));
  await until(uploads, all("failed"));
  assert.equal(uploads.items.value[0].code, "disk_full");
  uploads.retry(key);
  await until(uploads, all("done"));
  assert.equal(uploads.items.value[0].code, null);
});

test("a cancelled line disappears and so does the file at the server", async (context) => {
  const server = await new TusServer().start(context);
  const uploads = page(server, { rows: memoryRows(), storage: tab() });
  const began = new Promise((resolve) => (server.onPatch = () => resolve(null)));
  const key = uploads.add(fileOf(pdf(800 * KIB)));
  await began;
  await uploads.cancel(key);
  assert.deepEqual(uploads.items.value, []);
  assert.equal(server.files.size, 0);
});

test("kept files are opened only by the tab that kept them, and strangers' rows grow old", async () => {
  const rows = memoryRows();
  const clock = { now: 0 };
  const [mine, theirs] = [tab(), tab()].map((storage) =>
    createKeep({ open: async () => rows, storage, now: () => clock.now }),
  );
  const file = { key: "k", call: "c1", location: "http://x/f", name: "n", bytes: new Uint8Array([1, 2]) };
  await mine.put(file);
  assert.deepEqual(await theirs.all("c1"), []);
  assert.deepEqual(await mine.all("c1"), [file]);
  clock.now = STALE_MS + 1;
  await theirs.all("c1");
  assert.deepEqual(await mine.all("c1"), []);
});

test("what was kept for another call is thrown away", async () => {
  const rows = memoryRows();
  const keep = createKeep({ open: async () => rows, storage: tab() });
  await keep.put({ key: "k", call: "c0", location: "http://x/f", name: "n", bytes: new Uint8Array(1) });
  assert.deepEqual(await keep.all("c1"), []);
  assert.deepEqual(await rows.all(), []);
});

test("a browser without IndexedDB keeps files as long as the page", async () => {
  const keep = createKeep({ storage: tab() });
  const file = { key: "k", call: "c1", location: "http://x/f", name: "n", bytes: new Uint8Array([7]) };
  await keep.put(file);
  assert.deepEqual(await keep.all("c1"), [file]);
  await keep.clear();
  assert.deepEqual(await keep.all("c1"), []);
});

test("a file that arrives and that no page sends any more is taken back by its id", async (context) => {
  const server = await new TusServer().start(context);
  const first = uploadOf(server, pdf(300 * KIB));
  const began = new Promise((resolve) => (server.onPatch = () => resolve(null)));
  const stopped = assert.rejects(first.start(), { code: "aborted" });
  await began;
  await first.abort({ remove: false });
  await stopped;
  const uploads = page(server, { rows: /** @type {any} */ ({}), storage: tab() });
  await uploads.withdraw("f1");
  assert.equal(server.files.size, 0);
  await assert.rejects(uploads.withdraw("f1"), { code: "not_found" });
});
