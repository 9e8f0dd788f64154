/**
 * What the parts of the officer's page are given.
 *
 * @typedef {import("../lib/policy.js").Setting} Setting
 * @typedef {import("../lib/policy.js").Policy} Policy
 * @typedef {import("../lib/policy.js").Edit} Edit
 * @typedef {import("../lib/policy.js").Edits} Edits
 * @typedef {import("../lib/policy.js").Both} Both
 * @typedef {{id: string, name: string}} Somebody
 * @typedef {{key: string, name: Both, before: Both, after: Both, standing: string}} Change
 * @typedef {"draft" | "approved" | "in_force" | "past" | "withdrawn"} VersionState
 * @typedef {{number: number, base: number, state: VersionState, note: string, author: Somebody, drafted_at: string, approved_by: Somebody | null, approved_at: string | null, starts_at: string | null, withdrawn_by: Somebody | null, withdrawn_at: string | null}} Version
 * @typedef {{officers: (Somebody & {codes: string[]})[], everybody: boolean}} ShutOut whom of the officers a version would keep out
 * @typedef {Version & {text: string, against: {number: number, changes: Change[]} | null, changes: Change[], against_in_force: Change[], unset: string[], shut_out: ShutOut}} WholeVersion
 * @typedef {{days: number, asked: number, cut_at: string | null, ends_calls: number, changed_count: number, by_action: {action: string, refused: number, allowed: number, codes: string[]}[], changed: {position: number, action: string, allowed: boolean, codes: string[]}[]}} Rehearsal
 * @typedef {{code: string, met: boolean, message: string, clause: string, setting: string}} Term
 * @typedef {{action: string, allowed: boolean, terms: Term[], question: Record<string, any>}} Answer
 * @typedef {{position: number, at: string, tag: string, subject: string, allowed: boolean | null, reasons: string[], person: string, role: string, office: string, address: string, policy: number, detail: Record<string, any>}} Entry
 * @typedef {{entries: Entry[], more: boolean, names: Record<string, string>}} Log
 * @typedef {{id: string, at: string, verified: boolean, kind: string | null, call: string | null, count: number | null, because: string | null, policy: number | null, statement: string | null, signature: string | null}} Deletion 削除証明
 * @typedef {{whole: boolean, problem: string | null, entries: number | null, head: string | null, signed: number | null, signed_at: string | null, set_back: number | null}} Chain
 * @typedef {{id: string, name: string, appointed: boolean, proposed_by: string | null, confirmed_by: string | null, confirm_until: string | null}} Officer
 * @typedef {{actions: string[], roles: {role: string, pages: string[], actions: string[]}[]}} Roles
 * @typedef {{id: string, name: string, role: string, factors: string[], state: "none" | "asked" | "started" | "confirmed", asked_at: string | null, started_by: string | null, mine: boolean}} Recoverable
 * @typedef {{municipality: Somebody, person: Somebody & {role: string}, appointed: boolean}} You
 * @typedef {"policy" | "change" | "check" | "audit" | "sheet" | "officers"} Tab
 */
/**
 * @template T
 * @typedef {import("./html.js").Signal<T>} Signal
 */
/**
 * @typedef {object} OfficerApp
 * @property {Signal<You | null>} you
 * @property {Signal<{tab: Tab, id: string, query: string}>} where
 * @property {Signal<Policy | null>} policy
 * @property {Signal<{versions: Version[]} | null>} versions
 * @property {Signal<WholeVersion | null>} version
 * @property {Signal<Rehearsal | "failed" | null>} rehearsal null while it goes on
 * @property {Signal<Answer | null>} answer
 * @property {Signal<Log | null>} log
 * @property {Signal<Chain | null>} chain
 * @property {Signal<{deletions: Deletion[], more: boolean} | null>} deletions
 * @property {Signal<{officers: Officer[]} | null>} officers
 * @property {Signal<Roles | null>} roles
 * @property {Signal<{people: Recoverable[]} | null>} recoveries
 * @property {Signal<{name: string, link: string, expires_at: string} | null>} recoveryLink
 * @property {Signal<{id: string, name: Both}[]>} procedures
 * @property {Signal<Edits>} edits
 * @property {Signal<any>} error
 * @property {Signal<boolean>} busy
 * @property {any} toasts
 * @property {(setting: Setting, edit: Edit) => void} edit
 * @property {() => void} dropEdits
 * @property {(note: string, evenIfShutOut: boolean) => Promise<unknown>} submit
 * @property {(number: number, startsAt: string | null, evenIfShutOut: boolean) => Promise<unknown>} approve
 * @property {(number: number) => Promise<unknown>} withdraw
 * @property {(number: number, days: number) => void} rehearse
 * @property {(number: number, other: string) => void} compare with another version; "" for none
 * @property {() => Promise<unknown>} olderDeletions
 * @property {(question: Record<string, any>) => Promise<unknown>} ask
 * @property {(query: string) => void} search the address follows, so that what is built from it does
 * @property {(person: string) => Promise<unknown>} appoint
 * @property {(person: string, step: "start" | "confirm" | "withdraw") => Promise<unknown>} recover
 * @property {() => Promise<void>} signOut
 */
export {};
