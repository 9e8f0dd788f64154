/**
 * Being noticed in a background tab, and keeping the screen awake.
 *
 *     const attention = createAttention();
 *     await attention.ask();                       // from a gesture, at sign-in
 *     attention.notify("呼出", "架空中央郵便局");     // only when nobody looks at the page
 *     attention.mark("呼出中"); attention.mark(null);
 *     const wake = createWakeLock();  await wake.on();  await wake.off();  wake.held.value
 */
import { signal } from "../../vendor/signals-core.js";

/** @typedef {EventTarget & {hidden: boolean, title: string, visibilityState: string}} Page what is used of `document` */

/**
 * @param {object} [options]
 * @param {any} [options.NotificationClass] `Notification`, or undefined where there is none
 * @param {Page} [options.page]
 * @param {() => void} [options.focus] brings the page to the front
 */
export function createAttention(options = {}) {
  const browser = /** @type {any} */ (globalThis);
  const {
    NotificationClass = browser.Notification,
    page = /** @type {Page} */ (browser.document),
    focus = () => browser.focus?.(),
  } = options;
  const permission = signal(
    /** @type {NotificationPermission | "unsupported"} */ (
      NotificationClass?.permission ?? "unsupported"
    ),
  );
  /** @type {{close: () => void} | null} */
  let shown = null;
  /** @type {string | null} */
  let title = null;

  const clear = () => {
    shown?.close();
    shown = null;
  };
  page.addEventListener("visibilitychange", () => {
    if (!page.hidden) clear();
  });

  return {
    permission,
    /** Ask for notifications, if the browser has not been asked yet. */
    async ask() {
      if (permission.value !== "default") return permission.value;
      permission.value = await NotificationClass.requestPermission();
      return permission.value;
    },
    /**
     * Show a notification while the page is hidden. Names of residents do not belong in it: it
     * lies over whatever else is on the screen.
     * @param {string} heading
     * @param {string} [body]
     */
    notify(heading, body = "") {
      if (!page.hidden || permission.value !== "granted") return;
      clear();
      try {
        const notification = new NotificationClass(heading, { body, tag: "madoguchi" });
        notification.onclick = () => {
          focus();
          clear();
        };
        shown = notification;
      } catch {
        // Android wants a service worker for this; the title mark and the sound remain.
      }
    },
    /** Put a mark before the title of the tab, or take it away and the notification with it. @param {string | null} text */
    mark(text) {
      if (text === null) {
        if (title !== null) page.title = title;
        title = null;
        clear();
        return;
      }
      title ??= page.title;
      page.title = `● ${text} ${title}`;
    },
  };
}

/**
 * Keep the screen awake while it is on; the browser drops the lock whenever the page is hidden.
 * @param {object} [options]
 * @param {WakeLock | undefined} [options.wakeLock]
 * @param {Page} [options.page]
 */
export function createWakeLock(options = {}) {
  const browser = /** @type {any} */ (globalThis);
  const { wakeLock = browser.navigator?.wakeLock, page = /** @type {Page} */ (browser.document) } =
    options;
  const held = signal(false);
  let wanted = false;
  let asking = false;
  /** @type {WakeLockSentinel | null} */
  let lock = null;

  async function take() {
    if (!wanted || asking || lock || !wakeLock || page.visibilityState !== "visible") return;
    asking = true;
    try {
      const got = await wakeLock.request("screen");
      if (!wanted) return void (await got.release());
      lock = got;
      held.value = true;
      got.addEventListener("release", () => {
        if (lock === got) lock = null;
        held.value = lock !== null;
      });
    } catch {
      // A low battery may refuse; the next look at the page tries again.
    } finally {
      asking = false;
    }
  }
  page.addEventListener("visibilitychange", () => void take());

  return {
    held,
    async on() {
      wanted = true;
      await take();
    },
    async off() {
      wanted = false;
      await lock?.release();
    },
  };
}
