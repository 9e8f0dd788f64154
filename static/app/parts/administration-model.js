/**
 * What the parts of the administration page are given: the answers of PROTOCOL.md section 5.
 *
 * @typedef {import("./model.js").Both} Both
 * @typedef {{id: string, name: string, real: boolean, enrolled_at: string | null, revoked_at: string | null}} Tablet
 * @typedef {{id: string, open: boolean, since: string | null, basis: string, opens_on: string | null}} Standing
 * @typedef {{id: string, procedure: string, opens: boolean, from_on: string, basis: string, set_by: string | null, set_at: string, withdrawn_at: string | null, may_withdraw: boolean}} Opening
 * @typedef {{designated_on: string | null, resolved_on: string | null, resolution_ref: string, contract_ref: string}} Days
 * @typedef {Days & {id: string, name: string, tablets: Tablet[], clerks: number, procedures: Standing[], openings: Opening[]}} Office
 * @typedef {{id: string, login: string, name: string, role: string, office: string | null, trained_on: string | null, ready: boolean, ended_at: string | null}} Worker
 * @typedef {{id: string, group: string, name: Both, resolution: "required" | "setting" | "not_required"}} Procedure
 * @typedef {{today: string, procedures: Procedure[], offices: Office[], people: Worker[]}} House
 * @typedef {{number: number, procedure: string, state: "draft" | "approved" | "in_force" | "past" | "withdrawn", note: string, author: string | null, drafted_at: string, approved_by: string | null, approved_at: string | null, starts_at: string | null, mine: boolean}} TemplateVersion
 * @typedef {TemplateVersion & {text: string, changes: Both[]}} WholeVersion
 * @typedef {{kind: "code" | "link" | "pin", name: string, secret: string, link: string | null, until: string}} Handed
 * @typedef {"offices" | "people" | "procedures"} Tab
 */
/**
 * @template T
 * @typedef {import("./html.js").Signal<T>} Signal
 */
/**
 * @typedef {object} AdministrationApp
 * @property {Signal<{municipality: {id: string, name: string}, person: {id: string, name: string, role: string}} | null>} you
 * @property {Signal<{tab: Tab, id: string}>} where
 * @property {Signal<House | null>} house
 * @property {Signal<{versions: TemplateVersion[]} | null>} versions
 * @property {Signal<WholeVersion | null>} version
 * @property {Signal<Handed | null>} handed what is handed over, until it is put away
 * @property {Signal<any>} error
 * @property {Signal<boolean>} busy
 * @property {any} toasts
 * @property {(name: string, kind: string) => Promise<any>} addOffice
 * @property {(id: string, days: Days) => Promise<any>} enterOffice
 * @property {(id: string, entry: {procedure: string, opens: boolean, from_on: string, basis: string}) => Promise<any>} openProcedure
 * @property {(id: string) => Promise<any>} withdrawOpening
 * @property {(office: string, name: string) => Promise<any>} addTablet
 * @property {(tablet: string) => Promise<void>} newCode
 * @property {(tablet: string, real: boolean) => Promise<any>} switchTablet
 * @property {(tablet: string) => Promise<any>} revokeTablet
 * @property {(person: {login: string, name: string, role: string, office: string | null}) => Promise<any>} addPerson
 * @property {(person: string) => Promise<void>} newEntrance
 * @property {(person: string, on: string) => Promise<any>} setTraining
 * @property {(person: string) => Promise<any>} endPerson
 * @property {(text: string, note: string) => Promise<any>} draft
 * @property {(number: number, startsAt: string | null) => Promise<any>} approve
 * @property {(number: number) => Promise<any>} withdraw
 * @property {(procedure: string) => Promise<string>} textOf
 * @property {() => Promise<void>} signOut
 */
export {};
