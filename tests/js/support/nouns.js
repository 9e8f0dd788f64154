/** Nouns of PROTOCOL.md section 1 with everything filled in. */

/** @param {Partial<import("../../../static/app/lib/protocol.js").CallNoun>} [fields] */
export function call(fields = {}) {
  return {
    id: "call-1",
    number: "R-261123-0001",
    training: true,
    state: /** @type {const} */ ("talking"),
    procedure: "new-issue",
    office: { id: "o", name: "架空中央郵便局" },
    tablet: { id: "t", name: "１番窓口" },
    clerk: { name: "見本 一郎" },
    desk: { name: "見本 花子" },
    placed_at: "2026-11-23T01:00:00.000Z",
    ringing_since: null,
    answered_at: "2026-11-23T01:00:09.000Z",
    closed_at: null,
    ends_at: null,
    interrupted: null,
    veiled: false,
    outcome: null,
    reason: null,
    version: 3,
    parties: {
      counter: { present: true, camera: /** @type {const} */ ("on"), microphone: /** @type {const} */ ("on"), path: null },
      desk: { present: true, camera: /** @type {const} */ ("on"), microphone: /** @type {const} */ ("on"), path: null },
    },
    guests: [],
    ...fields,
  };
}

/** A third party. @param {Partial<import("../../../static/app/lib/protocol.js").GuestNoun>} [fields] */
export function guest(fields = {}) {
  return {
    party: /** @type {const} */ ("guest-1"),
    id: "g",
    name: "例示 上子",
    kind: /** @type {const} */ ("senior"),
    joined: true,
    present: true,
    camera: /** @type {const} */ ("on"),
    microphone: /** @type {const} */ ("on"),
    path: null,
    ...fields,
  };
}

/** @param {number} number @param {Partial<import("../../../static/app/lib/protocol.js").ChatNoun>} [fields] */
export function chat(number, fields = {}) {
  return {
    number,
    id: `m${number}`,
    from: /** @type {const} */ ("counter"),
    name: "見本 一郎",
    text: `${number}`,
    at: "2026-11-23T01:01:00.000Z",
    ...fields,
  };
}

/** @param {string} id @param {Partial<import("../../../static/app/lib/protocol.js").FileNoun>} [fields] */
export function file(id, fields = {}) {
  return {
    id,
    from: /** @type {const} */ ("counter"),
    name: "申請書.pdf",
    type: null,
    size_bytes: 10,
    received_bytes: 0,
    state: /** @type {const} */ ("arriving"),
    sha256_sent: "00",
    sha256_offered: null,
    offered_bytes: null,
    reason: null,
    scanned: null,
    closed_to: [],
    at: "2026-11-23T01:02:00.000Z",
    ...fields,
  };
}
