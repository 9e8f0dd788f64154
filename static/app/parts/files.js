/** Files of a call, for both ends: on their way, checked, to open; refused in words. Both hashes can be compared. */
import { bytes, groupHash, shortHash, time } from "../lib/format.js";
import { useDrops } from "./drop.js";
import { errorWords } from "./errors.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Viewer } from "./viewer.js";
import { t } from "./words.js";

/** @typedef {import("./model.js").CallApp} CallApp */
/** @typedef {import("./model.js").FileNoun} FileNoun */
/** @typedef {import("./model.js").UploadItem} UploadItem */

const LOOK = {
  arriving: { kind: "here", icon: "upload" },
  checking: { kind: "here", icon: "clock" },
  offered: { kind: "ok", icon: "check" },
  refused: { kind: "stop", icon: "xc" },
  withdrawn: { kind: "", icon: "x" },
};

/** @param {{label: string, hex: string | null}} props */
function Hash({ label, hex }) {
  return html`<dt>${label}</dt><dd class="hash">${hex ? groupHash(hex) : "―"}</dd>`;
}

/** Both hashes: as it was sent and as it is offered. Images are rebuilt, so that they differ. @param {{file: FileNoun}} props */
function Hashes({ file }) {
  return html`<details>
    <summary>SHA-256 <span class="mono">${shortHash(file.sha256_offered ?? file.sha256_sent)}</span></summary>
    <dl class="kv stacked">
      <${Hash} label=${t("files.hash.sent")} hex=${file.sha256_sent} />
      <${Hash} label=${t("files.hash.offered")} hex=${file.sha256_offered} />
    </dl>
    <p class="dim">${t(file.sha256_offered === file.sha256_sent ? "files.hash.same" : "files.hash.rebuilt")}</p>
  </details>`;
}

/** How this page stands among those who had a file. @param {CallApp} app */
const taker = ({ store: { you } }) => (you.value?.page === "desk" ? you.value.person.id : "counter");

/** @param {{app: CallApp, file: FileNoun, own: string, onView: (file: FileNoun) => void}} props */
function Actions({ app, file, own, onView }) {
  if (file.state === "arriving" && file.from === own) {
    return html`<button class="btn plain low" type="button" aria-label=${t("files.withdraw.label", { name: file.name })} onClick=${() => app.files.withdraw(file.id)}><${Icon} name="x" />${t("files.cancel")}</button>`;
  }
  if (file.state !== "offered") return null;
  if (file.still && own === "counter") return html`<span class="dim">${t("files.still")}</span>`;
  if (file.closed_to.includes(taker(app))) return html`<span class="dim">${t("files.once")}</span>`;
  const image = file.type?.startsWith("image/");
  return html`<span class="row tight">
    ${image &&
    html`<button class="btn low" type="button" aria-label=${t("files.open.label", { name: file.name })} onClick=${() => onView(file)}>${t("files.open")}</button>`}
    ${(!image || own === "desk") &&
    html`<a class="btn ${image ? "plain" : ""} low" href=${app.files.url(file)} download=${file.name} aria-label=${t("files.download.label", { name: file.name })}>
      ${image ? html`<${Icon} name="down" />` : t("files.download")}
    </a>`}
  </span>`;
}

/** One file as the server knows it. @param {{app: CallApp, file: FileNoun, own: string, onView: (file: FileNoun) => void}} props */
function FileRow({ app, file, own, onView }) {
  const look = LOOK[file.state];
  const mine = file.from === own;
  return html`<li class="file">
    <b>${file.name}</b>
    <span class="chip ${look.kind}"><${Icon} name=${look.icon} />${t(`files.state.${file.state}${mine && file.state === "offered" ? ".own" : ""}`)}</span>
    <span class="dim">${t(mine ? "files.from.own" : `files.from.${file.from}`)}・${bytes(file.offered_bytes ?? file.size_bytes)}・${time(file.at)}</span>
    <${Actions} app=${app} file=${file} own=${own} onView=${onView} />
    ${file.state === "offered" && file.scanned === "not" && html`<p class="all"><span class="chip warn"><${Icon} name="alert" />${t("files.not_scanned")}</span></p>`}
    ${file.state === "arriving" &&
    html`<progress class="all" max=${file.size_bytes} value=${file.received_bytes} aria-label=${t("files.arriving.label", { name: file.name })}></progress>`}
    ${file.state === "refused" && html`<p class="all error-text"><${Icon} name="alert" /><span>${errorWords(file.reason ?? "internal")}</span></p>`}
    ${(file.state === "offered" || file.state === "checking") && html`<${Hashes} file=${file} />`}
  </li>`;
}

/** What sending the same file again cannot mend. */
const FINAL = new Set(["wrong_type", "malware", "too_large", "empty_file", "unreadable_file", "too_many_files"]);

/** Why a file did not go out, with the limit that it breaks. @param {CallApp} app @param {string | null} code */
function failure(app, code) {
  if (code !== "too_large") return errorWords(code ?? "internal");
  return t("files.too_large", { size: bytes(app.store.limits.value?.file_bytes ?? 0) });
}

/** One file on its way out of this page. @param {{app: CallApp, item: UploadItem}} props */
function UploadRow({ app, item }) {
  const failed = item.phase === "failed";
  return html`<li class="file">
    <b>${item.name}</b>
    ${failed
      ? html`<button class="btn plain low" type="button" onClick=${() => app.files.dismiss(item.key)}>${t("common.close")}</button>`
      : html`<button class="btn plain low" type="button" aria-label=${t("files.cancel.label", { name: item.name })} onClick=${() => app.files.cancel(item.key)}><${Icon} name="x" />${t("files.cancel")}</button>`}
    ${failed
      ? html`<p class="all error-text" role="alert"><${Icon} name="alert" /><span>${failure(app, item.code)}</span></p>
          ${!FINAL.has(item.code ?? "") &&
          html`<button class="btn low all" type="button" onClick=${() => app.files.retry(item.key)}><${Icon} name="refresh" />${t("files.retry")}</button>`}`
      : html`<progress class="all" max=${item.size || 1} value=${item.sent} aria-label=${t("files.sending.label", { name: item.name })}></progress>
          <span class="all dim">${t(`files.phase.${item.phase}`)} ${bytes(item.sent)} / ${bytes(item.size)}</span>`}
  </li>`;
}

/** @param {{app: CallApp, own: "counter" | "desk"}} props */
function FileList({ app, own }) {
  const [viewed, setViewed] = useState(/** @type {FileNoun | null} */ (null));
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const uploads = app.files.uploads.value.filter((item) => item.phase !== "done");
  useEffect(() => {
    // The newest stands on top: what was just added must be seen.
    if (uploads.length) list.current?.parentElement?.scrollTo({ top: 0 });
  }, [uploads.length]);
  const sending = new Set(uploads.map((item) => item.id));
  const files = app.store.fileList.value.filter((file) => !sending.has(file.id)).reverse();
  return html`${files.length + uploads.length === 0 && html`<p class="dim">${t(`files.empty.${own}`)}</p>`}
    <ul ref=${list}>
      ${uploads.map((item) => html`<${UploadRow} key=${item.key} app=${app} item=${item} />`)}
      ${files.map((file) => html`<${FileRow} key=${file.id} app=${app} file=${file} own=${own} onView=${setViewed} />`)}
    </ul>
    ${viewed && html`<${Viewer} file=${viewed} url=${app.files.url(viewed, { inline: true })} onClose=${() => setViewed(null)} />`}`;
}

/**
 * A button that lets a file be picked. The input itself is not drawn; the button speaks for it.
 * @param {{app: CallApp, label: string, icon: string, class: string, camera?: boolean}} props
 */
function PickFile({ app, label, icon, class: look, camera = false }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const types = app.store.limits.value?.file_types ?? [];
  /** @param {{currentTarget: HTMLInputElement}} event */
  const picked = ({ currentTarget }) => {
    app.files.add([...(currentTarget.files ?? [])]);
    currentTarget.value = "";
  };
  return html`<button class=${look} type="button" onClick=${() => input.current?.click()}><${Icon} name=${icon} />${label}</button>
    <input
      ref=${input}
      type="file"
      hidden
      multiple=${!camera}
      accept=${camera ? "image/jpeg,image/png" : types.join(",")}
      capture=${camera ? "environment" : undefined}
      aria-label=${label}
      onChange=${picked}
    />`;
}

/** @param {{app: CallApp}} props */
function Allowed({ app }) {
  const limit = app.store.limits.value?.file_bytes ?? 0;
  return html`<p class="dim">${t("files.allowed", { size: bytes(limit) })}</p>`;
}

/** The clerk's tab. @param {{app: CallApp}} props */
export function CounterFiles({ app }) {
  return html`<div class="pair">
      <${PickFile} app=${app} label=${t("files.photo")} icon="still" class="btn primary big" camera=${true} />
      <${PickFile} app=${app} label=${t("files.pick")} icon="file" class="btn big" />
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label=${t("files.title")}>
      <${FileList} app=${app} own="counter" />
      <${Allowed} app=${app} />
    </div>`;
}

/** The button by which the desk sends. @param {{app: CallApp}} props */
export const SendFile = ({ app }) => html`<${PickFile} app=${app} label=${t("files.send")} icon="upload" class="btn low" />`;

/** The desk's list. @param {{app: CallApp, over: boolean}} props `over`: something is held over the page */
export function FilesBody({ app, over }) {
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${t("files.list")}>
    ${over && html`<p class="drop"><${Icon} name="upload" />${t("files.drop")}</p>`}
    <${FileList} app=${app} own="desk" />
    <${Allowed} app=${app} />
  </div>`;
}

/** The desk's panel; files can be dropped anywhere on the page of a call. @param {{app: CallApp}} props */
export function DeskFiles({ app }) {
  const over = useDrops((files) => app.files.add(files));
  const count = app.store.fileList.value.length;
  return html`<section
    class="panel files-panel ${over ? "over" : ""}"
    aria-label=${t("files.title")}
  >
    <header>
      <h2><${Icon} name="file" />${count ? t("files.title.n", { n: count }) : t("files.title")}</h2>
      <${SendFile} app=${app} />
    </header>
    <${FilesBody} app=${app} over=${over} />
  </section>`;
}
