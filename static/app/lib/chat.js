/**
 * Writing chat: a draft is shown at once, replaced by the server's message, kept when refused.
 *
 *     const chat = createChat({connection, store});
 *     chat.send("用紙をもう少し手前にお願いします");
 *     chat.retry(id); chat.discard(id);   // ids of store.pending with state "failed"
 *     chat.read();                         // everything on the screen has been read
 *
 * Drafts live in memory only: text about a person is not left on the tablet.
 */
import { ServerError } from "./errors.js";
import { newId } from "./ids.js";

/**
 * @param {{connection: Pick<import("./connection.js").Connection, "send">, store: import("./store.js").Store, makeId?: () => string, warn?: (code: string) => void}} options
 */
export function createChat({ connection, store, makeId = newId, warn = () => {} }) {
  let told = { call: "", number: 0 };

  /** @param {string} id @param {string} text */
  async function deliver(id, text) {
    store.draftSent(id, text);
    try {
      // The draft leaves the list when the message itself arrives, so that it never blinks.
      const { warning } = await connection.send("chat.send", { text }, { id });
      if (warning) warn(warning);
    } catch (error) {
      store.draftFailed(id, error instanceof ServerError ? error.code : "internal");
    }
  }

  return {
    /** @param {string} text @returns {boolean} false when there is nothing to send */
    send(text) {
      const trimmed = text.trim();
      if (trimmed) void deliver(makeId(), trimmed);
      return trimmed !== "";
    },
    /** @param {string} id */
    retry(id) {
      const draft = store.pending.value.find((d) => d.id === id);
      if (draft) void deliver(id, draft.text);
    },
    /** @param {string} id */
    discard: (id) => store.draftDropped(id),
    /** Tell the other side how far this page has read; said once per number. */
    read() {
      const own = store.you.value?.page;
      const call = store.call.value?.id ?? "";
      const last = store.chat.value.at(-1)?.number ?? 0;
      if (!own || last <= store.read.value[own]) return;
      if (told.call === call && told.number >= last) return;
      told = { call, number: last };
      connection.send("chat.read", { number: last }).catch(() => {
        told = { call: "", number: 0 };
      });
    },
  };
}
