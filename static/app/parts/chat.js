/** Chat of a call, for both ends: what was said, what has not gone out, and the line to write on. */
import { time } from "../lib/format.js";
import { html, useEffect, useRef } from "./html.js";
import { Icon } from "./icon.js";
import { errorWords } from "./errors.js";
import { composes } from "./shortcuts.js";
import { t } from "./words.js";

/**
 * @typedef {import("../lib/protocol.js").ChatNoun} ChatNoun
 * @typedef {import("../lib/state.js").Draft} Draft
 */

/** @param {{message: ChatNoun, own: boolean, seen: boolean, speaker: string}} props */
function Message({ message, own, seen, speaker }) {
  return html`<li class=${`msg ${own ? "me" : ""}`}>
    <small>${speaker} ${time(message.at)}${own && seen ? ` ${t("chat.read")}` : ""}</small>${message.text}
  </li>`;
}

/** @param {{message: Draft, chat: import("./model.js").ChatActions}} props */
function UnsentMessage({ message, chat }) {
  return html`<li class=${`msg me ${message.state === "failed" ? "unsent" : ""}`}>
    <small>${message.state === "failed" ? t("chat.unsent") : t("chat.sending")}</small>${message.text}
    ${message.state === "failed" &&
    html`<small>${errorWords(message.code ?? "internal")}</small>
      <span class="row tight wrap">
        <button class="btn low" type="button" onClick=${() => chat.retry(message.id)}>${t("chat.retry")}</button>
        <button class="btn plain low" type="button" onClick=${() => chat.discard(message.id)}>${t("chat.discard")}</button>
      </span>`}
  </li>`;
}

/**
 * The log; it stays at its end unless the reader has scrolled up. New messages are said by the page's own voice.
 * @param {{app: import("./model.js").CallApp, own: "counter" | "desk", me?: string}} props `me`: the party that this page is
 */
export function ChatLog({ app, own, me = own }) {
  const { chat, limits, read, pending } = app.store;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const atEnd = useRef(true);
  const count = chat.value.length + pending.value.length;
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [count]);
  const note = () => {
    const log = box.current;
    if (log) atEnd.current = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
  };
  const seen = read.value[own === "desk" ? "counter" : "desk"];
  return html`<div class="scroll" ref=${box} onScroll=${note} role="log" aria-live="off" aria-label=${t("chat.title")} tabindex="0">
    ${count === 0 && html`<p class="dim">${t(`chat.${limits.value?.chat_kept === false ? "dropped" : "empty"}.${own}`)}</p>`}
    <ol class="msgs">
      ${chat.value.map(
        (message) =>
          html`<${Message}
            key=${message.number}
            message=${message}
            own=${message.from === me}
            seen=${message.number <= seen}
            speaker=${message.name || t(`chat.${message.from}`)}
          />`,
      )}
      ${pending.value.map((message) => html`<${UnsentMessage} key=${message.id} message=${message} chat=${app.chat} />`)}
    </ol>
  </div>`;
}

/**
 * While the log is on a screen that somebody sees, what stands in it counts as read; what could not be told for want
 * of a line is told when it is back.
 * @param {import("./model.js").CallApp} app
 */
export function useRead(app) {
  const { chat, connection } = app.store;
  useEffect(() => {
    const look = () => document.visibilityState === "visible" && connection.value.state === "open" && app.chat.read();
    look();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [chat.value.length, connection.value.state]);
}

/**
 * The line to write on: Enter sends, Shift+Enter breaks the line, nothing happens while an input method composes.
 * @param {{app: import("./model.js").CallApp, own: "counter" | "desk", id: string}} props
 */
export function ChatForm({ app, own, id }) {
  const draft = app.draft.value;
  const setDraft = (/** @type {string} */ text) => (app.draft.value = text);
  const limit = app.store.limits.value?.chat_characters ?? 2000;
  const length = [...draft].length;
  const send = () => {
    const text = draft.trim();
    if (!text || length > limit) return;
    app.chat.send(text);
    setDraft("");
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    if (event.key !== "Enter" || event.shiftKey || composes(event)) return;
    event.preventDefault();
    send();
  };
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    send();
  };
  return html`<form class="sendrow" onSubmit=${submit}>
    <textarea
      id=${id}
      rows="1"
      value=${draft}
      aria-label=${t(`chat.write.${own}`)}
      placeholder=${t(`chat.placeholder.${own}`)}
      aria-invalid=${length > limit ? "true" : undefined}
      onInput=${(/** @type {{currentTarget: HTMLTextAreaElement}} */ event) => setDraft(event.currentTarget.value)}
      onKeyDown=${key}
    ></textarea>
    ${length > limit - 100 && html`<span class="nw" role="status">${t("chat.left", { n: limit - length })}</span>`}
    <button class="btn primary" type="submit" aria-label=${t("chat.send")} aria-disabled=${length > limit ? "true" : undefined}>
      <${Icon} name="send" />
    </button>
  </form>`;
}
