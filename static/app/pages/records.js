/** 本人確認記録: search, one record as a page of paper, verification, correction, export. */
import { createApi } from "../lib/api.js";
import { codeOf } from "../parts/errors.js";
import { html, signal } from "../parts/html.js";
import { RecordsPage } from "../parts/records.js";
import { language } from "../parts/words.js";
import { draw, startPage } from "./start.js";

const asked = new URLSearchParams(location.search);
const page = asked.get("page") === "officer" ? "officer" : "desk";
const api = createApi({ page });

/** Do one thing at a time; whatever is refused is said. @param {() => Promise<void>} work */
async function once(work) {
  if (app.busy.value) return;
  app.busy.value = true;
  app.error.value = null;
  try {
    await work();
  } catch (error) {
    const code = codeOf(error);
    if (code === "signed_out") location.replace(`/sign-in?page=${page}`);
    app.error.value = code;
  }
  app.busy.value = false;
}

/** @type {import("../parts/records.js").RecordsApp} */
const app = {
  back: `/${page}`,
  you: signal(null),
  found: signal(null),
  shown: signal(null),
  checked: signal(null),
  error: signal(null),
  busy: signal(false),
  correcting: signal(false),
  search: (wanted) =>
    void once(async () => {
      app.found.value = await api.get(`records?${new URLSearchParams(wanted)}`);
    }),
  open: (id) => void once(() => open(id)),
  close: () => {
    app.shown.value = app.checked.value = null;
  },
  verify: () =>
    void once(async () => {
      app.checked.value = await api.post(`records/${app.shown.value?.record.id}/verify`, {});
    }),
  correct: (text) =>
    void once(async () => {
      const { record, additions } = /** @type {any} */ (app.shown.value);
      app.shown.value = await api.post(`records/${record.id}/additions`, { after: additions.length, text });
      app.correcting.value = false;
      app.checked.value = null;
    }),
  bundle: (id) => `/api/v1/records/${id}/bundle?page=${page}`,
  pdf: () =>
    void once(async () => {
      const { record } = /** @type {any} */ (app.shown.value);
      save(await api.file(`records/${record.id}/pdf?language=${language()}`), `${record.number}.pdf`);
    }),
  print: () => globalThis.print(),
};

/** @param {Blob} content @param {string} name */
function save(content, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @param {string} id */
async function open(id) {
  app.checked.value = null;
  app.shown.value = await api.get(`records/${id}`);
}

const element = await startPage("records");
draw(html`<${RecordsPage} app=${app} />`, element);
await once(async () => {
  app.you.value = /** @type {any} */ (await api.me()).you;
  const number = asked.get("number");
  app.found.value = await api.get(number ? `records?number=${encodeURIComponent(number)}` : "records");
  const only = number && app.found.value?.records.length === 1 ? app.found.value.records[0].id : null;
  if (only) await open(only);
});
