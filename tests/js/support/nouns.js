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
    still: false,
    closed_to: [],
    at: "2026-11-23T01:02:00.000Z",
    ...fields,
  };
}

/** @param {Partial<import("../../../static/app/lib/protocol.js").NeedNoun>} fields @returns {import("../../../static/app/lib/protocol.js").NeedNoun} */
export function need(fields) {
  return {
    need: 0,
    kind: "tick",
    by: "desk",
    done: false,
    left: 1,
    words: null,
    items: null,
    draw: null,
    draws_left: null,
    text: null,
    bound: null,
    at_least: null,
    documents: null,
    code: null,
    ...fields,
  };
}

/** @param {string} id @param {Partial<import("../../../static/app/lib/protocol.js").StepNoun>} [fields] @returns {import("../../../static/app/lib/protocol.js").StepNoun} */
export function step(id, fields = {}) {
  return {
    id,
    title: { ja: `${id}の題`, en: id },
    script: null,
    now: { ja: `${id}の [今|いま]`, en: `now ${id}` },
    state: "locked",
    reopens: false,
    needs: [need({})],
    ...fields,
  };
}

/**
 * A call in its step "face", after "code" and before "documents".
 * @param {Partial<import("../../../static/app/lib/protocol.js").StepsNoun>} [fields]
 * @returns {import("../../../static/app/lib/protocol.js").StepsNoun}
 */
export function steps(fields = {}) {
  const still = need({ kind: "still", words: { ja: "顔", en: "Face" }, at_least: 2, left: 1, bound: ["f1"] });
  return {
    call: "call-1",
    version: 4,
    procedure: "new-issue",
    current: "face",
    steps: [
      step("code", { state: "done", reopens: true, needs: [need({ kind: "code", done: true, left: 0, code: { code: "4729", tries_left: 3, agreed: false } })] }),
      step("face", { state: "now", reopens: true, needs: [still] }),
      step("documents", { needs: [need({ by: "counter", left: 2, items: [0, 1].map((item) => ({ item, words: { ja: "厚み", en: "thickness" }, on: false })) })] }),
    ],
    missing: [
      { step: "face", need: 0, kind: "still", left: 1 },
      { step: "documents", need: 0, kind: "tick", left: 2 },
    ],
    locked: true,
    approval_wanted: false,
    approvals: [],
    chips: [],
    earlier: null,
    ...fields,
  };
}
