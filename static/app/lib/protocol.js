/**
 * What PROTOCOL.md says, as constants and types: message types, codes, limits, nouns.
 * server/api/messages.py holds the same; a test compares the names. No behaviour lives here.
 */

/** @template {string} T @param {T[]} names @returns {readonly T[]} */
const list = (...names) => Object.freeze(names);

/** Types that a page sends (PROTOCOL.md section 3). */
export const CLIENT_TYPES = list(
  "hello",
  "pong",
  "call.place",
  "call.withdraw",
  "call.accept",
  "call.pass",
  "call.decide",
  "call.reopen",
  "call.close",
  "call.invite",
  "call.uninvite",
  "call.join",
  "call.leave",
  "call.veil",
  "call.devices",
  "call.quality",
  "step.tick",
  "step.answer",
  "step.draw",
  "step.bind",
  "step.still",
  "step.document",
  "step.grant",
  "step.code",
  "step.chip",
  "step.take-over",
  "approval.ask",
  "approval.answer",
  "call.hand-over",
  "desk.state",
  "offer",
  "chat.send",
  "chat.read",
  "precheck.chat",
);

/** Types that the server sends (PROTOCOL.md section 4). */
export const SERVER_TYPES = list(
  "you",
  "challenge",
  "welcome",
  "ping",
  "ok",
  "error",
  "call",
  "queue",
  "position",
  "relay",
  "quality",
  "answer",
  "please-offer",
  "streams",
  "chat",
  "chat.read",
  "file",
  "steps",
  "still",
  "approvals",
  "desk",
  "ended",
);

/** Why a socket was closed (PROTOCOL.md section 2.3). */
export const CLOSE_CODES = Object.freeze({
  page_left: 1000,
  come_back: 1001,
  protocol: 1002,
  not_allowed: 1008,
  too_large: 1009,
  corrupt: 1011,
  seat_taken: 4001,
  taken_over: 4002,
  replaced: 4003,
  signed_out: 4004,
});

/** Error codes by class (PROTOCOL.md section 6). */
export const ERROR_CODES = Object.freeze({
  ProtocolError: list(
    "protocol",
    "bad_sdp",
    "weak_password",
    "bad_metadata",
    "hash_mismatch",
    "checksum_mismatch",
    "wrong_type",
    "bad_policy",
    "bad_start",
    "looser_unexplained",
    "bad_key",
    "weak_pin",
    "bad_passkey_made",
    "basis_required",
    "bad_day",
    "bad_url",
    "bad_key_terms",
    "bad_template",
  ),
  Denied: list(
    "denied",
    "signed_out",
    "not_enrolled",
    "no_clerk",
    "bad_credentials",
    "link_used",
    "code_unknown",
    "csrf",
    "origin",
    "counter_cannot_decide",
    "not_your_call",
    "procedure_not_open",
    "office_not_direct",
    "no_rule",
    "outside_vpn",
    "outside_network",
    "tls_too_old",
    "relay",
    "second_factor",
    "training_not_current",
    "same_person",
    "retention_not_set",
    "recording_off",
    "no_consent",
    "not_a_viewer",
    "stills_off",
    "too_many_retakes",
    "not_scanned",
    "not_invitable",
    "my_number",
    "not_offered",
    "max_length",
    "max_waiting",
    "not_appointed",
    "own_draft",
    "own_call",
    "own_request",
    "officer_entrance",
    "oidc_state",
    "oidc_refused",
    "oidc_no_role",
    "oidc_many_roles",
    "oidc_disabled",
    "oidc_not_for_role",
    "oidc_only",
    "key_required",
    "key_missing",
    "key_refused",
    "offer_unsigned",
    "bad_pin",
    "pin_change",
    "pin_expired",
    "pin_locked",
    "malware",
    "already_taken",
    "outcome_not_allowed",
    "bad_code",
    "bad_passkey",
    "factor_by_link",
    "second_administrator",
    "insurer_number",
    "not_yours",
    "office_not_designated",
    "resolution_missing",
    "precheck_missing",
    "steps_missing",
    "approval_missing",
    "bad_token",
    "token_network",
    "bundle_network",
    "second_factor_not_set",
    "directory_again",
  ),
  Conflict: list(
    "conflict",
    "wrong_state",
    "call_taken",
    "nothing_waiting",
    "already_in_call",
    "call_full",
    "not_free",
    "seat_taken",
    "wrong_offset",
    "reason_required",
    "line_lost",
    "no_picture",
    "not_a_draft",
    "outdated_consent",
    "outdated_draft",
    "version_waiting",
    "not_officer",
    "last_factor",
    "too_many_passkeys",
    "no_passkeys_here",
    "step_locked",
    "wrong_kind",
    "not_drawn",
    "no_code",
    "code_agreed",
    "has_begun",
    "shuts_out",
    "shuts_out_all",
    "nothing_to_approve",
    "too_many_webhooks",
    "month_open",
    "count_negative",
    "not_counted",
  ),
  NotFound: list("not_found"),
  TooMuch: list("too_large", "too_long", "too_fast", "too_many_tries", "pin_wait", "too_many_files", "too_many_messages", "too_many_draws", "too_many_documents"),
  Unavailable: list("unavailable", "busy", "disk_full", "stopping", "scanner_off", "oidc_unreachable", "no_pdf"),
  Corrupt: list("corrupt"),
});

/** Codes that a page makes itself; the server never sends them. */
export const LOCAL_CODES = list(
  "connection_lost", // the socket went away before the answer came
  "timeout", // the socket lives, the answer did not come
  "no_network", // HTTP did not reach the server
  "internal", // the server failed without saying why
  "aborted", // the person stopped it
  "empty_file",
  "unreadable_file", // the file changed or went away on the disk
  "passkey_known", // this authenticator has a passkey of this person already
);

/** Codes of `ended` (PROTOCOL.md section 4). */
export const ENDED_CODES = list("signed_out", "tablet_revoked", "expired");

/** Limits of the socket, in the unit of the name (PROTOCOL.md sections 2 and 3). */
export const LIMITS = Object.freeze({
  frame_bytes: 98304,
  messages_per_second: 60,
  messages_per_minute: 600,
  json_depth: 8,
  hello_seconds: 5,
  ping_seconds: 5,
  silent_seconds: 10,
  stream_messages: 512,
  id_characters: 64,
  sdp_bytes: 65536,
  chat_characters: 2000,
  reason_characters: 500,
});

/** States of a call. */
export const CALL_STATES = list(
  "waiting",
  "ringing",
  "talking",
  "interrupted",
  "deciding",
  "closed",
);
export const OUTCOMES = list("verified", "completed", "returned", "refused", "aborted");
export const DEVICE_STATES = list("on", "off", "lost");
export const FILE_STATES = list("arriving", "checking", "offered", "refused", "withdrawn");
export const OFFER_REASONS = list("new_connection", "restart_ice", "streams");
export const GUEST_KINDS = list("senior", "interpreter", "representative");

/**
 * @typedef {"counter" | "desk" | "officer" | "sign-in"} PageName "sign-in" is half a sign-in
 * @typedef {"counter" | "desk"} PartyName
 * @typedef {"waiting" | "ringing" | "talking" | "interrupted" | "deciding" | "closed"} CallState
 * @typedef {"verified" | "completed" | "returned" | "refused" | "aborted"} Outcome
 * @typedef {"on" | "off" | "lost"} DeviceState
 * @typedef {"arriving" | "checking" | "offered" | "refused" | "withdrawn"} FileState
 * @typedef {"open" | "away"} DeskState
 */

/**
 * @typedef {object} PartyNoun
 * @property {boolean} present
 * @property {DeviceState} camera
 * @property {DeviceState} microphone
 * @property {string | null} path why its sound and pictures may not go as they do, as an error code
 */

/**
 * @typedef {object} CallNoun
 * @property {string} id
 * @property {string} number `R…` in training, `K…` otherwise
 * @property {boolean} training
 * @property {CallState} state
 * @property {string} procedure
 * @property {{id: string, name: string}} office
 * @property {{id: string, name: string}} tablet
 * @property {{name: string}} clerk
 * @property {{name: string} | null} desk
 * @property {string} placed_at RFC 3339, UTC
 * @property {string | null} ringing_since
 * @property {string | null} answered_at
 * @property {string | null} closed_at
 * @property {string | null} ends_at when it ends by itself at the latest; null once closed
 * @property {{since: string, gives_up_at: string, lost: PartyName[]} | null} interrupted
 * @property {boolean} veiled
 * @property {Outcome | null} outcome
 * @property {string | null} reason
 * @property {number} version grows by one with every change
 * @property {{counter: PartyNoun, desk: PartyNoun}} parties
 * @property {GuestNoun[]} guests third parties, asked or in
 */

/**
 * @typedef {PartyNoun & {party: GuestParty, id: string, name: string, kind: GuestKind, joined: boolean}} GuestNoun
 * @typedef {"guest-1" | "guest-2"} GuestParty
 * @typedef {"senior" | "interpreter" | "representative"} GuestKind
 */

/**
 * @typedef {object} ChatNoun
 * @property {number} number counts from 1 within the call
 * @property {string} id made by the sender
 * @property {PartyName | GuestParty} from
 * @property {string} name
 * @property {string} text
 * @property {string} at
 */

/**
 * @typedef {object} FileNoun
 * @property {string} id
 * @property {PartyName | GuestParty} from
 * @property {string} name
 * @property {string | null} type
 * @property {number} size_bytes
 * @property {number} received_bytes
 * @property {FileState} state
 * @property {string} sha256_sent
 * @property {string | null} sha256_offered
 * @property {number | null} offered_bytes
 * @property {string | null} reason
 * @property {"clean" | "not" | null} scanned `not`: no scanner answered; null: not asked for
 * @property {boolean} still a picture that a step asked for: the desk looks at it, the counter does not
 * @property {string[]} closed_to who had it once and gets it no more: `counter`, ids of persons
 * @property {string} at
 */

/**
 * The steps of a call. The counter is told no script, no answer, no expiry and no confirmation; the code is told to the counter alone.
 * @typedef {object} StepsNoun
 * @property {string} call
 * @property {number} version grows with every change
 * @property {string} procedure
 * @property {string | null} current the step whose turn it is; null when all are done
 * @property {StepNoun[]} steps
 * @property {{step: string, need: number, kind: NeedKind, left: number}[]} missing
 * @property {boolean} locked whether 確認済み and 対応済み are locked
 * @property {boolean} approval_wanted a senior's confirmation of the decision is wanted and not there
 * @property {ApprovalNoun[]} approvals
 * @property {ChipNoun[]} chips
 * @property {EarlierNoun | null} earlier what the tablet's call before has left that broke off; desk only
 *
 * @typedef {{call: string, number: string, closed_at: string, documents: number, files: number, things: number, taken: boolean}} EarlierNoun
 *
 * @typedef {{ja: string, en: string}} Both
 * @typedef {"tick" | "still" | "file" | "answer" | "prompts" | "documents" | "code"} NeedKind
 *
 * @typedef {object} StepNoun
 * @property {string} id
 * @property {Both} title
 * @property {Both | null} script
 * @property {Both} now with readings
 * @property {"done" | "now" | "open" | "locked"} state
 * @property {boolean} reopens
 * @property {NeedNoun[]} needs
 *
 * @typedef {object} NeedNoun what does not belong to its kind is null
 * @property {number} need its number in the step, from 0
 * @property {NeedKind} kind
 * @property {PartyName} by
 * @property {boolean} done
 * @property {number} left
 * @property {Both | null} words
 * @property {{item: number, words: Both, on: boolean}[] | null} items
 * @property {number | null} draw
 * @property {number | null} draws_left
 * @property {string | null} text
 * @property {string[] | null} bound ids of files
 * @property {number | null} at_least
 * @property {DocumentsNoun | null} documents
 * @property {{code: string | null, tries_left: number, agreed: boolean} | null} code
 *
 * @typedef {object} DocumentsNoun
 * @property {ShownNoun[]} shown
 * @property {boolean} pin
 * @property {boolean} notice
 * @property {boolean} excused
 * @property {WayNoun[]} ways the nearest first; none when the documents are enough
 *
 * @typedef {{kind: string, document_class: "a" | "b", name: Both, expires: string | null, counts: boolean}} ShownNoun
 * @typedef {{a: number, b: number, pin: boolean, notice: boolean}} WayNoun
 *
 * @typedef {object} ApprovalNoun
 * @property {"documents" | "decision"} about
 * @property {string} reason
 * @property {{name: string}} asked_by
 * @property {string} asked_at
 * @property {boolean | null} approved null while it is only asked
 * @property {string | null} answer
 * @property {{name: string} | null} answered_by
 * @property {string | null} answered_at
 *
 * @typedef {object} AskedApproval what seniors are asked to confirm
 * @property {string} call
 * @property {string} number
 * @property {string} procedure
 * @property {{id: string, name: string}} office
 * @property {{id: string, name: string}} tablet
 * @property {{name: string}} desk
 * @property {ApprovalNoun["about"]} about
 * @property {string} reason
 * @property {string} asked_at
 * @property {ShownNoun[]} documents
 *
 * @typedef {{document: string, tool: string, result: "agrees" | "differs" | "unreadable", by: {name: string}, at: string}} ChipNoun
 */

/**
 * @typedef {object} QueueNoun
 * @property {CallNoun[]} waiting oldest first; every call that is not closed
 * @property {string | null} offered
 * @property {number} desks_open
 * @property {boolean} busy no further call can be carried now
 * @property {boolean} picks a desk may answer a call that does not ring there
 * @property {Invitation | null} invited the call that this person is asked into
 *
 * @typedef {object} Invitation
 * @property {string} call
 * @property {string} number
 * @property {string} procedure
 * @property {{id: string, name: string}} office
 * @property {{id: string, name: string}} tablet
 * @property {{name: string}} desk
 * @property {GuestKind} kind
 * @property {string} asked_at
 */

/**
 * @typedef {object} PositionNoun
 * @property {number} ahead
 * @property {number | null} wait_seconds
 * @property {number} desks_open
 * @property {string | null} offered_to
 * @property {boolean} busy as many calls go on as can be carried
 * @property {{hours: string, telephone: string} | null} closed_notice
 */

/**
 * How good the call is. The counter is told of its own connection alone, without `lines`.
 * @typedef {object} QualityNoun
 * @property {"good" | "fair" | "poor" | "unknown"} level
 * @property {"paused" | "busy" | "loss" | "frozen" | "delay" | "jitter" | "coarse" | "slow" | null} cause
 * @property {PartyName | null} place whose connection it is
 * @property {boolean} abort_offered
 * @property {Partial<Record<PartyName, {sends: LineNoun, receives: LineNoun}>> | null} lines
 *
 * @typedef {object} TotalNoun how good a whole call was, of its worst direction; null when nothing was wrong
 * @property {number} good_percent
 * @property {number} fair_percent
 * @property {number} poor_percent
 * @property {"loss" | "frozen" | "delay" | "jitter" | "coarse" | "slow" | null} cause
 * @property {PartyName | null} place whose connection it was
 *
 * @typedef {object} LineNoun one direction; null where unknown
 * @property {number | null} rtt_ms
 * @property {number | null} jitter_ms
 * @property {number | null} loss 0 to 1
 * @property {number | null} kbps
 * @property {number | null} fps
 * @property {number | null} width
 * @property {number | null} height
 * @property {number | null} freezes
 * @property {number | null} repaired
 */

/**
 * @typedef {object} CounterYou
 * @property {"counter"} page
 * @property {{id: string, name: string}} municipality
 * @property {{id: string, name: string}} office
 * @property {{id: string, name: string}} tablet
 * @property {{name: string} | null} clerk
 * @property {"training" | "real"} mode
 * @property {string} language
 *
 * @typedef {object} DeskYou
 * @property {"desk"} page
 * @property {{id: string, name: string}} municipality
 * @property {{id: string, name: string, role: string}} person
 * @property {DeskState} desk_state
 *
 * @typedef {CounterYou | DeskYou} You
 */

/**
 * @typedef {object} LimitsNoun
 * @property {number} chat_characters
 * @property {number} file_bytes
 * @property {number} resume_seconds
 * @property {number} ring_seconds
 * @property {string[]} file_types
 * @property {boolean} chat_kept the chat stays after the call
 *
 * @typedef {{counter: number, desk: number}} ReadNoun
 *
 * @typedef {object} RelayNoun our TURN relay; null in its place when there is none to use
 * @property {"fallback" | "only"} use
 * @property {{urls: string[], username: string, credential: string}[]} servers
 * @property {string} expires_at
 *
 * @typedef {object} StateNoun
 * @property {CallNoun | null} call
 * @property {ChatNoun[]} chat
 * @property {ReadNoun} read
 * @property {FileNoun[]} files
 * @property {QueueNoun | null} queue
 * @property {PositionNoun | null} position
 * @property {StepsNoun | null} [steps]
 *
 * @typedef {{code: string, message: string, clause?: string}} ReasonNoun
 * @typedef {{code: string, message: string, reasons: ReasonNoun[], request_id?: string, limit?: number, unit?: string}} ErrorNoun
 */

/**
 * @typedef {{name: string, grade: "good" | "fair" | "bad", code: string, figures: Record<string, string | number | null>}} PrecheckRow
 * @typedef {{id: string, at: string, office: {id: string, name: string}, tablet: {id: string, name: string}, person: {name: string}, outcome: "good" | "fair" | "bad", rows: PrecheckRow[]}} PrecheckNoun
 */

/**
 * Fields of what a page sends, by type; `id` is added by the connection.
 * @typedef {{
 *   "call.place": {procedure: string, consent: {video: boolean, text_version: string, language: string}, training?: boolean};
 *   "call.withdraw": {};
 *   "call.accept": {call: string | null};
 *   "call.pass": {call: string};
 *   "call.decide": {};
 *   "call.reopen": {};
 *   "call.close": {outcome: Outcome, reason: string | null};
 *   "call.invite": {person: string, agreed: true};
 *   "call.hand-over": {person: string};
 *   "call.uninvite": {person: string};
 *   "call.join": {call: string};
 *   "call.leave": {};
 *   "call.veil": {on: boolean};
 *   "call.devices": {camera: DeviceState, microphone: DeviceState};
 *   "call.quality": import("./quality.js").Report;
 *   "step.tick": Place & {item: number, on: boolean};
 *   "step.answer": Place & {text: string};
 *   "step.draw": Place;
 *   "step.bind": Place & {file: string, on: boolean};
 *   "step.still": Place;
 *   "step.document": Place & {kind: string, expires: string | null, on: boolean};
 *   "step.grant": Place & {what: "pin" | "notice", on: boolean};
 *   "step.code": Place & {code: string};
 *   "step.chip": {document: string, tool: string, result: ChipNoun["result"]};
 *   "step.take-over": {call: string};
 *   "approval.ask": {about: ApprovalNoun["about"], reason: string};
 *   "approval.answer": {call: string, about: ApprovalNoun["about"], approve: boolean, reason: string | null};
 *   "desk.state": {state: DeskState};
 *   "offer": {connection: number, sdp: string, signature?: string};
 *   "chat.send": {text: string};
 *   "chat.read": {number: number};
 *   "precheck.chat": {text: string};
 * }} ClientFields
 * @typedef {{step: string, need: number}} Place a need of a step
 */

/**
 * @typedef {{type: "challenge", challenge: string, issued_at: string, municipality: string, tablet: string}} ChallengeMessage
 * @typedef {{type: "welcome", epoch: string, resumed: boolean, server_time: string, you: You, limits: LimitsNoun, relay: RelayNoun | null, state: StateNoun | null, seq?: number}} WelcomeMessage
 * @typedef {{type: "ping", seq: number}} PingMessage
 * @typedef {{type: "ok", seq: number, re: string, call?: CallNoun, chat?: ChatNoun[], read?: ReadNoun, files?: FileNoun[], steps?: StepsNoun | null, number?: number, at?: string, warning?: string | null}} OkMessage
 * @typedef {{type: "error", seq?: number, re?: string, error: ErrorNoun}} ErrorMessage
 * @typedef {{type: "call", seq: number, call: CallNoun}} CallMessage
 * @typedef {{type: "queue", seq: number, queue: QueueNoun}} QueueMessage
 * @typedef {{type: "position", seq: number, position: PositionNoun}} PositionMessage
 * @typedef {{type: "relay", relay: RelayNoun | null}} RelayMessage
 * @typedef {{type: "quality", quality: QualityNoun}} QualityMessage
 * @typedef {{type: "answer", seq: number, re: string, connection: number, sdp: string, media_epoch: string}} AnswerMessage
 * @typedef {{type: "please-offer", seq?: number, reason: OfferReason, places?: number}} PleaseOfferMessage
 * @typedef {{type: "streams", seq: number, lines: Record<string, string>}} StreamsMessage
 * @typedef {"new_connection" | "restart_ice" | "streams"} OfferReason
 * @typedef {{type: "chat", seq: number, message: ChatNoun}} ChatMessage
 * @typedef {{type: "chat.read", seq: number, party: PartyName | GuestParty, number: number}} ChatReadMessage
 * @typedef {{type: "file", seq: number, file: FileNoun}} FileMessage
 * @typedef {{type: "you", seq: number, you: You}} YouMessage
 * @typedef {{type: "steps", seq: number, steps: StepsNoun}} StepsMessage
 * @typedef {{type: "approvals", approvals: AskedApproval[]}} ApprovalsMessage
 * @typedef {{type: "still", call: string, step: string, need: number, name: string}} StillMessage
 * @typedef {{type: "desk", seq: number, state: DeskState}} DeskMessage
 * @typedef {{type: "ended", seq: number, code: string}} EndedMessage
 * @typedef {ChallengeMessage | YouMessage | WelcomeMessage | PingMessage | OkMessage | ErrorMessage | CallMessage | QueueMessage | PositionMessage | QualityMessage | RelayMessage | AnswerMessage | PleaseOfferMessage | StreamsMessage | ChatMessage | ChatReadMessage | FileMessage | StepsMessage | ApprovalsMessage | StillMessage | DeskMessage | EndedMessage} ServerMessage
 */
