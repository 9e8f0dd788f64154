/** Third parties of a call: small pictures with names and roles, what is said when somebody comes or goes. */
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Playing, Veil } from "./video.js";
import { t } from "./words.js";

/** @typedef {import("./model.js").CallNoun} CallNoun */
/** @typedef {import("../lib/protocol.js").GuestNoun} GuestNoun */

/**
 * The third party that this page is, or null.
 * @param {{you: import("../lib/protocol.js").You | null, call: CallNoun | null}} known
 */
export function ownGuest({ you, call }) {
  if (you?.page !== "desk") return null;
  return call?.guests.find(({ id, joined }) => joined && id === you.person.id) ?? null;
}

/** Role and name, as both screens show them. @param {GuestNoun} guest */
const called = ({ kind, name }) => `${t(`role.${kind}`)} ${name}`;

/**
 * Who came and who left between two pictures of one call; nobody when it is another call.
 * @param {CallNoun | null} before
 * @param {CallNoun | null} now
 * @returns {{key: "guest.came" | "guest.left", guest: GuestNoun}[]}
 */
export function guestChanges(before, now) {
  if (!before || !now || before.id !== now.id || now.state === "closed") return [];
  const inCall = (/** @type {CallNoun} */ call) => call.guests.filter(({ joined }) => joined);
  const missing = (/** @type {CallNoun} */ from, /** @type {CallNoun} */ to) =>
    inCall(from).filter(({ id }) => !inCall(to).some((other) => other.id === id));
  return [
    ...missing(now, before).map((guest) => ({ key: /** @type {const} */ ("guest.came"), guest })),
    ...missing(before, now).map((guest) => ({ key: /** @type {const} */ ("guest.left"), guest })),
  ];
}

/**
 * One small picture: of a third party, or of the desk to a third party.
 * @param {{stream: MediaStream | null, who: string, dark: boolean, away?: boolean, children?: import("./html.js").Node}} props
 */
function Small({ stream, who, dark, away = false, children }) {
  return html`<figure class="other">
    <div class="video">
      <${Playing} stream=${stream} label=${t("guest.picture", { who })} />
      ${away ? html`<${Veil} icon="wifioff" title=${t("guest.away")} as="b" />` : dark && html`<${Veil} icon="camoff" title=${t("guest.dark")} as="b" />`}
    </div>
    <figcaption><span>${who}</span>${children}</figcaption>
  </figure>`;
}

/**
 * Everybody in the call but this page and the one who is shown large. `manage` lets the desk send somebody away.
 * @param {{app: import("./model.js").CallApp, own: string, manage?: (id: string) => void}} props
 */
export function Others({ app, own, manage }) {
  const call = app.store.call.value;
  const others = app.media.others.value;
  if (!call) return null;
  const stream = (/** @type {string} */ party) => others.find((one) => one.party === party)?.stream ?? null;
  const guests = call.guests.filter(({ party, joined }) => party !== own && (joined || manage));
  const desk = own.startsWith("guest") && call.desk;
  if (guests.length === 0 && !desk) return null;
  const away = (/** @type {GuestNoun} */ guest) =>
    manage &&
    html`<button class="btn plain low" type="button" onClick=${() => manage(guest.id)}>
      ${t(guest.joined ? "guest.send_away" : "guest.cancel")}
    </button>`;
  return html`<section class="others" aria-label=${t("guest.title")}>
    ${desk && html`<${Small} stream=${stream("desk")} who=${`${t("guest.desk")} ${desk.name}`} dark=${call.parties.desk.camera !== "on"} />`}
    ${guests.map((guest) =>
      guest.joined
        ? html`<${Small} key=${guest.id} stream=${stream(guest.party)} who=${called(guest)} dark=${guest.camera !== "on"} away=${!guest.present}>${away(guest)}<//>`
        : html`<p key=${guest.id} class="other asked"><span><${Icon} name="bell" /> ${t("guest.asked", { who: called(guest) })}</span>${away(guest)}</p>`,
    )}
  </section>`;
}
