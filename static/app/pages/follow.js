/** What a page says of itself when something happens in a call: tones, announcements, notices. */
import { warning } from "../parts/ending.js";
import { guestChanges } from "../parts/guests.js";
import { computed, effect } from "../parts/html.js";
import { findTemplate } from "../parts/templates.js";
import { t } from "../parts/words.js";

/**
 * Run `then` with the value and the one before, whenever it changes; not for the first.
 * @template T
 * @param {() => T} read
 * @param {(value: T, before: T) => void} then
 */
export function onChange(read, then) {
  const value = computed(read);
  let before = value.peek();
  return effect(() => {
    const now = value.value;
    if (now === before) return;
    const last = before;
    before = now;
    // What follows may write signals; it must not become part of what is followed.
    queueMicrotask(() => then(now, last));
  });
}

/** @param {import("./wire.js").Wired} wired */
export function followLine({ app: { store, toasts, voice, meter }, sounds }) {
  const lost = () => {
    const state = store.call.value?.state;
    if (!state || state === "closed") return null;
    return state === "interrupted" || store.connection.value.state !== "open";
  };
  onChange(lost, (isLost, wasLost) => {
    if (isLost === null || wasLost === null) return;
    // What was said of the line before is not true any more.
    toasts.clear();
    if (isLost) sounds.lost();
    else sounds.back();
    voice.now(t(isLost ? "announce.lost" : "announce.back"));
    if (!isLost) toasts.show("ok", t("toast.back"));
  });
  onChange(
    () => store.call.value?.veiled ?? false,
    (veiled) => {
      const state = store.call.peek()?.state;
      if (state && state !== "closed") voice.now(t(veiled ? "announce.veil_on" : "announce.veil_off"));
    },
  );
  onChange(
    () => meter.mutedHint.value,
    (hint) => hint && voice.now(t("device.muted")),
  );
  effect(() => sounds.setSilent(store.call.value?.veiled ?? false));
}

/** What is said before a call ends by itself, five minutes and one minute ahead. @param {import("./wire.js").Wired} wired @param {"counter" | "desk"} own */
export function followEnding({ app: { store, toasts, now } }, own) {
  onChange(
    () => warning(store.call.value, now.value),
    (told) => told && toasts.show("warn", t(`ending.${own}.${told}`), "clock"),
  );
}

/** Somebody who joins or leaves is said on every screen. @param {import("./wire.js").Wired} wired */
export function followGuests({ app: { store, toasts, voice } }) {
  onChange(
    () => store.call.value,
    (call, before) => {
      for (const { key, guest } of guestChanges(before, call)) {
        const said = t(key, { role: t(`role.${guest.kind}`), name: guest.name });
        toasts.show("info", said);
        voice.say(said);
      }
    },
  );
}

/**
 * New messages and files of the other side.
 * @param {import("./wire.js").Wired} wired
 * @param {"counter" | "desk"} own
 * @param {() => void} [onChat]
 */
export function followNews({ app: { store, voice }, sounds }, own, onChat) {
  onChange(
    () => store.chat.value.at(-1),
    (message, before) => {
      // The whole state after a reload is not news.
      if (!message || message.from === own || message.number !== (before?.number ?? 0) + 1) return;
      sounds.chat();
      // The counter's instruction speaks for itself.
      if (own === "desk" || !findTemplate(message.text)) voice.say(t("announce.chat", { name: message.name, text: message.text }));
      onChat?.();
    },
  );
  onChange(
    () => store.fileList.value.filter((file) => file.from !== own && file.state === "offered").at(-1)?.id,
    (id) => {
      const file = id ? store.files.peek()[id] : null;
      if (file) voice.say(t("announce.file", { name: file.name }));
    },
  );
}
