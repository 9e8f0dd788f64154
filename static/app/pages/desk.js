/** The desk of the municipality. */
import { createAttention } from "../lib/attention.js";
import { ServerError } from "../lib/errors.js";
import { answersOf } from "../lib/steps.js";
import { toggleCompare } from "../parts/desk-compare.js";
import { DeskPage } from "../parts/desk-page.js";
import { ownGuest } from "../parts/guests.js";
import { computed, effect, html, signal, untracked } from "../parts/html.js";
import { tellReason } from "../parts/reasons.js";
import { followKeys } from "../parts/shortcuts.js";
import { callChange, invitationWanted, ringWanted } from "../parts/wanted.js";
import { has, language, t } from "../parts/words.js";
import { nextZoom } from "../parts/zoom.js";
import { stepping } from "./stepping.js";
import { followEnding, followGuests, followLine, followNews, onChange } from "./follow.js";
import { draw, startPage } from "./start.js";
import { begin, followMedia, wire } from "./wire.js";

/** @typedef {import("../parts/model.js").DeskApp} DeskApp */
/** @typedef {import("./wire.js").Wired} Wired */
/** @typedef {ReturnType<typeof createAttention>} Attention */

/** Answering: who comes second is told who was first. @param {Wired} wired @param {import("../parts/html.js").Signal<boolean>} busy @param {import("../parts/html.js").Signal<boolean>} accepting */
function answering({ app, connection, complain }, busy, accepting) {
  /** @param {string | null} id */
  return async (id) => {
    if (busy.value) return;
    busy.value = accepting.value = true;
    try {
      await connection.send("call.accept", { call: id });
    } catch (error) {
      if (!(error instanceof ServerError) || error.code !== "call_taken") complain(error);
      else {
        const name = app.store.queue.peek()?.waiting.find((call) => call.id === id)?.desk?.name;
        app.toasts.show("info", name ? t("toast.taken", { name }) : t("toast.taken.nameless"));
      }
    } finally {
      busy.value = accepting.value = false;
    }
  };
}

/** 判定 and its dialog. @param {Wired} wired @param {import("../parts/html.js").Signal<boolean>} busy */
function deciding({ app, ask }, busy) {
  const dialog = signal(/** @type {import("../parts/model.js").Outcome | null} */ (null));
  /** @param {() => Promise<boolean>} run @param {() => void} then */
  const once = async (run, then) => {
    if (busy.value) return;
    busy.value = true;
    if (await run()) then();
    busy.value = false;
  };
  return {
    dialog,
    /** @param {import("../parts/model.js").Outcome} outcome */
    decide: (outcome) => {
      const open = () => (dialog.value = outcome);
      if (app.store.call.peek()?.state !== "talking") return open();
      return once(() => ask("call.decide", {}), open);
    },
    putOff: () => {
      dialog.value = null;
      if (app.store.call.peek()?.state === "deciding") void ask("call.reopen", {});
    },
    /** @param {import("../parts/model.js").Outcome} outcome @param {string | null} reason */
    close: (outcome, reason) => once(() => ask("call.close", { outcome, reason }), () => (dialog.value = null)),
  };
}

/** Third parties: asking them, and being one. @param {Wired} wired @param {import("../parts/html.js").Signal<boolean>} busy @param {import("../parts/html.js").Signal<boolean>} accepting */
function inviting({ app, api, ask, complain }, busy, accepting) {
  const invitable = signal(/** @type {import("../parts/model.js").Invitable[] | null} */ (null));
  const { store } = app;
  return {
    guest: computed(() => ownGuest({ you: store.you.value, call: store.call.value })),
    invitable,
    openInvite: async () => {
      try {
        invitable.value = (await api.get(`calls/${store.call.peek()?.id}/invitable`)).people;
      } catch (error) {
        complain(error);
      }
    },
    closeInvite: () => void (invitable.value = null),
    /** @param {string} person */
    invite: async (person) => {
      if (await ask("call.invite", { person, agreed: true })) invitable.value = null;
    },
    /** @param {string} person */
    handOver: async (person) => {
      if (await ask("call.hand-over", { person })) invitable.value = null;
    },
    /** @param {string} person */
    uninvite: (person) => void ask("call.uninvite", { person }),
    /** @param {string} call */
    join: async (call) => {
      if (busy.value) return;
      busy.value = accepting.value = true;
      await ask("call.join", { call });
      busy.value = accepting.value = false;
    },
    leaveCall: () => void ask("call.leave", {}),
  };
}

/** @param {Wired} wired @param {Attention} attention @param {import("../parts/html.js").Signal<boolean>} accepting @returns {DeskApp} */
function deskApp(wired, attention, accepting) {
  const { app, ask, sounds } = wired;
  const busy = signal(false);
  return {
    ...app,
    busy,
    today: signal([]),
    totals: signal({}),
    zoom: signal(1),
    compared: signal([]),
    steps: stepping(wired),
    answerApproval: (call, about, approve, reason) => void ask("approval.answer", { call, about, approve, reason }),
    kinds: signal([]),
    cardKind: signal(null),
    sideTab: signal("chat"),
    wide: wideScreen(),
    permission: attention.permission,
    accept: answering(wired, busy, accepting),
    pass: (call) => void ask("call.pass", { call }),
    setState: (state) => {
      void ask("desk.state", { state });
      if (state === "open") void attention.ask();
    },
    ...deciding(wired, busy),
    ...inviting(wired, busy, accepting),
    asleep: computed(() => !sounds.unlocked.value),
    tryRing: () => void sounds.tryRing(),
    askPermission: () => void attention.ask(),
  };
}

/** Whether chat and files have room beside each other. */
function wideScreen() {
  const query = matchMedia("(min-width: 1680px)");
  const wide = signal(query.matches);
  query.addEventListener("change", () => (wide.value = query.matches));
  return wide;
}

/** The kinds of documents with their cards, asked for when a call begins: they may have been completed since. @param {DeskApp} app @param {Wired} wired */
function followKinds(app, { api, complain }) {
  const callId = computed(() => (app.store.connection.value.state === "open" ? app.store.call.value?.id : null));
  effect(() => {
    if (!callId.value) return;
    api.get("documents").then(({ documents }) => (app.kinds.value = documents), complain);
  });
}

/** What a senior is asked is said; nobody else is told anything. @param {DeskApp} app */
function followApprovals(app) {
  onChange(
    () => app.store.approvals.value.at(-1)?.asked_at,
    (at) => at && app.voice.say(t("announce.senior")),
  );
}

/** What a senior has answered is told, whichever step the desk is at by then. @param {DeskApp} app */
function followAnswers(app) {
  onChange(
    () => app.steps.noun.value,
    (now, before) => {
      if (app.guest.peek()) return;
      for (const { approved, answer, answered_by } of answersOf(now, before)) {
        const said = { name: answered_by?.name ?? "", answer: answer ?? "" };
        app.toasts.show(approved ? "ok" : "warn", t(approved ? "senior.state.given" : "senior.toast.refused", said), approved ? "check" : "xc");
      }
    },
  );
}

/** A call that rings here is heard, seen in the tab, and told to who looks elsewhere. @param {DeskApp} app @param {Wired} wired @param {Attention} attention */
function followRing(app, { sounds, known }, attention) {
  const ringing = computed(() => ringWanted({ ...known(), queue: app.store.queue.value }));
  const invited = computed(() => invitationWanted({ ...known(), queue: app.store.queue.value }));
  effect(() => {
    const rings = ringing.value !== null || invited.value !== null;
    sounds.ring(rings);
    attention.mark(rings ? t("mark.ringing") : null);
  });
  onChange(
    () => invited.value?.call,
    () => {
      const asked = invited.peek();
      if (!asked) return;
      const office = `${asked.office.name} ${asked.tablet.name}`;
      app.voice.now(t("announce.invited", { office }));
      attention.notify(t("guest.ring.title"), office);
    },
  );
  onChange(
    () => ringing.value?.id,
    (id) => {
      const call = ringing.peek();
      if (!id || !call) return;
      const office = `${call.office.name} ${call.tablet.name}`;
      app.voice.now(t("announce.ringing", { office }));
      attention.notify(t("ring.title"), office);
    },
  );
}

/** Own calls of today, asked for anew whenever one ends. @param {DeskApp} app @param {Wired} wired */
function followToday(app, { api }) {
  const look = async () => {
    const { calls, quality } = await api.get("calls").catch(() => ({ calls: app.today.peek(), quality: app.totals.peek() }));
    const closed = calls.filter((/** @type {import("../parts/model.js").CallNoun} */ call) => call.state === "closed");
    app.totals.value = quality ?? {};
    app.today.value = closed.sort((/** @type {any} */ a, /** @type {any} */ b) => b.closed_at.localeCompare(a.closed_at));
  };
  onChange(
    () => app.store.call.value?.state === "closed" || app.store.connection.value.state === "open",
    (again) => again && void look(),
  );
  return look;
}

/** The end of a call is said, the desk is free again, and nothing of a call is left for the next. @param {DeskApp} app @param {() => void} look */
function followEnd(app, look) {
  const callId = computed(() => app.store.call.value?.id);
  effect(() => {
    void callId.value;
    app.dialog.value = null;
    app.zoom.value = 1;
    app.compared.value = [];
    app.cardKind.value = null;
    app.sideTab.value = "chat";
    untracked(app.steps.putAway);
  });
  onChange(
    () => app.store.call.value,
    (call, before) => {
      const { told } = callChange(before, call);
      const wasGuest = ownGuest({ you: app.store.you.peek(), call: before });
      if (told === "vanished" && wasGuest) app.toasts.show("info", t("guest.out"));
      else if (told === "vanished") app.toasts.show("warn", t("toast.vanished", { number: before?.number ?? "" }));
      if (told) look();
      if (told !== "closed" || !call) return;
      app.dialog.value = null;
      const theirs = call.reason !== null && has(`reason.code.${call.reason}`);
      const own = call.outcome && !theirs && !wasGuest;
      const outcome = t(`outcome.${call.outcome ?? "none"}`);
      const ended = t(own ? "toast.closed" : "toast.ended", { number: call.number, outcome });
      app.toasts.show(own ? "ok" : "info", theirs ? `${ended} ${tellReason(call.reason, language())}` : ended);
      app.store.dismissCall();
    },
  );
}

/** @param {DeskApp} app */
function keys(app) {
  const inCall = () => app.store.call.peek() !== null;
  /** @param {string} id */
  const focus = (id) => document.getElementById(id)?.focus();
  return {
    A: () => {
      const queue = app.store.queue.peek();
      if (inCall()) return;
      if (queue?.invited) void app.join(queue.invited.call);
      else if (queue?.offered) app.accept(queue.offered);
    },
    Z: () => inCall() && void (app.zoom.value = nextZoom(app.zoom.peek())),
    C: () => inCall() && !app.guest.peek() && toggleCompare(app),
    V: () => inCall() && !app.guest.peek() && !app.store.call.peek()?.veiled && app.veil(true),
    N: () => app.steps.next(),
    S: () => inCall() && app.steps.stillNow(),
    T: () => {
      app.sideTab.value = "chat";
      requestAnimationFrame(() => focus("desk-chat"));
    },
    J: () => /** @type {HTMLElement | null} */ (document.querySelector(".decide .yes"))?.focus(),
  };
}

const element = await startPage("desk");
const wired = await wire("desk");
const attention = createAttention();
// A camera needs a third of a second: it is fetched with the press, not with the answer to it.
const accepting = signal(false);
const app = deskApp(wired, attention, accepting);
followRing(app, wired, attention);
followEnd(app, followToday(app, wired));
followKinds(app, wired);
followApprovals(app);
followAnswers(app);
followLine(wired);
followGuests(wired);
followEnding(wired, "desk");
followNews(wired, "desk", () => document.hidden && attention.mark(t("mark.chat")));
document.addEventListener("visibilitychange", () => document.hidden || attention.mark(null));
followMedia(wired, "desk", () => accepting.value);
followKeys(keys(app));
draw(html`<${DeskPage} app=${app} />`, element);
await begin(wired, "desk");
