/**
 * The files that this page is sending in one call, one after another, also over a reload.
 *
 *     const uploads = createUploads({url: api.urls.files(call.id), call: call.id, csrf: api.csrf, limits});
 *     await uploads.resume();            // once, after a reload
 *     uploads.add(file);                  // from an <input type="file">
 *     uploads.items.value                 // [{key, name, size, sent, phase, code, id}]
 *     uploads.cancel(key);                // takes the file back
 *     uploads.dismiss(key);               // clears a line that is done or failed
 *     uploads.retry(key);                 // after "failed"
 *     await uploads.withdraw(id);         // an unfinished file that no line here stands for; rejects
 *     uploads.forget();                   // the call is over: nothing of it stays
 *
 * `phase` is that of Upload, or "queued". `id` names the file in store.files once it is announced,
 * which says whether it was offered or refused; `code` says why it failed here.
 */
import { signal } from "../../vendor/signals-core.js";
import { ServerError } from "./errors.js";
import { newId } from "./ids.js";
import { createKeep } from "./keep.js";
import { Upload, withdraw } from "./upload.js";

/**
 * @typedef {{key: string, name: string, size: number, sent: number, phase: "queued" | import("./upload.js").Phase, code: string | null, id: string | null}} Item
 * @typedef {Omit<import("./upload.js").UploadOptions, "file" | "name" | "location">} Sending
 */

/** @param {Sending & {call: string, keep?: ReturnType<typeof createKeep>}} options */
export function createUploads({ call, keep = createKeep(), ...sending }) {
  const items = signal(/** @type {readonly Item[]} */ ([]));
  /** @type {Map<string, Upload>} */
  const uploads = new Map();
  /** @type {Map<string, Blob & {name?: string}>} */
  const files = new Map();
  let over = false;
  let line = Promise.resolve();

  /** @param {string} key @param {Partial<Item>} change */
  const draw = (key, change) => {
    items.value = items.value.map((item) => (item.key === key ? { ...item, ...change } : item));
  };
  let keeping = Promise.resolve();
  /** One after another; what could not be kept is only asked for again after a reload. @param {() => Promise<void>} run */
  const keepQuietly = (run) => (keeping = keeping.then(run).catch(() => {}));

  /** @param {string} key @param {Blob & {name?: string}} file @param {{name?: string, location?: string}} [known] */
  function queue(key, file, known = {}) {
    const upload = new Upload({ ...sending, ...known, file });
    uploads.set(key, upload);
    files.set(key, file);
    upload.on("progress", ({ phase, sent }) => {
      // A failure is drawn once, together with its code.
      if (phase !== "failed") draw(key, { phase, sent });
    });
    upload.on("created", ({ location, bytes }) => {
      draw(key, { id: fileId(location) });
      void keepQuietly(() => keep.put({ key, call, location, name: upload.name, bytes }));
    });
    const others = items.value.filter((item) => item.key !== key);
    const id = known.location ? fileId(known.location) : null;
    const { name, total: size } = upload;
    items.value = [...others, { key, name, size, sent: 0, phase: "queued", code: null, id }];
    line = line.then(() => send(key, upload));
  }

  /** @param {string} key @param {Upload} upload */
  async function send(key, upload) {
    if (over || uploads.get(key) !== upload) return;
    try {
      await upload.start();
      files.delete(key);
    } catch (error) {
      const code = error instanceof ServerError ? error.code : "internal";
      draw(key, { phase: "failed", code });
      if (!over && code !== "aborted") void upload.abort();
    }
    uploads.delete(key);
    await keepQuietly(() => keep.remove(key));
  }

  /** @param {string} key */
  function drop(key) {
    uploads.delete(key);
    files.delete(key);
    items.value = items.value.filter((item) => item.key !== key);
  }

  return {
    items,
    /** @param {Blob & {name?: string}} file @returns {string} the key of its line */
    add(file) {
      const key = newId();
      queue(key, file);
      return key;
    },
    /** Go on with what a reload interrupted. */
    async resume() {
      const kept = await keep.all(call).catch(() => []);
      for (const { key, name, location, bytes } of kept) {
        if (!uploads.has(key)) queue(key, new Blob([bytes]), { name, location });
      }
    },
    /** @param {string} key */
    async cancel(key) {
      const upload = uploads.get(key);
      drop(key);
      await upload?.abort();
      await keepQuietly(() => keep.remove(key));
    },
    /** Take back a file that arrives at the server and that no page sends any more. @param {string} id */
    async withdraw(id) {
      const location = new URL(sending.url);
      location.pathname += `/${encodeURIComponent(id)}`;
      await withdraw(sending, location.href);
    },
    /** @param {string} key */
    dismiss(key) {
      if (!uploads.has(key)) drop(key);
    },
    /** @param {string} key */
    retry(key) {
      const file = files.get(key);
      const item = items.value.find((i) => i.key === key);
      if (file && item?.phase === "failed") queue(key, file, { name: item.name });
    },
    /** The line is back. */
    wake: () => uploads.forEach((upload) => upload.wake()),
    /** Stop everything and leave nothing on this machine; the server drops what is unfinished. */
    async forget() {
      over = true;
      const running = [...uploads.values()];
      uploads.clear();
      files.clear();
      items.value = [];
      await Promise.all(running.map((upload) => upload.abort({ remove: false })));
      await keepQuietly(() => keep.clear());
    },
  };
}

/** @param {string} location */
function fileId(location) {
  return new URL(location).pathname.split("/").at(-1) ?? null;
}
