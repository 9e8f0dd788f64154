/**
 * What parts are given to draw and to call. Types only: a page builds one from the library,
 * a test or a story from plain signals.
 */

/** @template T @typedef {import("./html.js").Signal<T>} Signal */

/**
 * @typedef {import("../lib/store.js").Store} Store
 * @typedef {import("../lib/media.js").MediaSession} MediaSession
 * @typedef {import("../lib/protocol.js").CallNoun} CallNoun
 * @typedef {import("../lib/protocol.js").Outcome} Outcome
 * @typedef {import("../lib/protocol.js").FileNoun} FileNoun
 * @typedef {Pick<ReturnType<typeof import("../lib/chat.js").createChat>, "send" | "retry" | "discard" | "read">} ChatActions
 * @typedef {import("../lib/uploads.js").Item} UploadItem
 */

/**
 * One procedure as `GET /api/v1/procedures` gives it.
 * @typedef {{id: string, group: string, name: Both, what: Both, status: "open" | "preparing", reason: Both | null, opens_on: string | null, outcomes: import("../lib/protocol.js").Outcome[]}} Procedure
 * @typedef {{ja: string, en: string}} Both
 */

/**
 * What both ends have while a call runs.
 * @typedef {object} CallApp
 * @property {Store} store
 * @property {Pick<MediaSession, "local" | "remote" | "others" | "camera" | "microphone" | "problem" | "state" | "fault" | "arrives">} media
 * @property {{level: Signal<number>, mutedHint: Signal<boolean>}} meter
 * @property {Signal<DeviceList>} devices
 * @property {Signal<number>} now ms of the server's clock, moving every second
 * @property {Signal<Procedure[]>} procedures
 * @property {Signal<string>} draft what is being written in the chat; it outlives its part, not its call
 * @property {ChatActions} chat
 * @property {FileActions} files
 * @property {DeviceActions} device
 * @property {import("./toast.js").ToastList} toasts
 * @property {import("./announce.js").Announcer} voice
 * @property {(on: boolean) => void} veil
 * @property {(call: string) => Promise<import("./resident.js").Resident>} resident whom to play in a training call
 * @property {() => void} takeOver
 * @property {() => void} reconnect
 * @property {() => void} signIn go to the sign-in page
 * @property {() => void} signOut
 *
 * @typedef {{cameras: import("../lib/devices.js").Device[], microphones: import("../lib/devices.js").Device[]}} DeviceList
 *
 * @typedef {object} FileActions
 * @property {Signal<readonly UploadItem[]>} uploads
 * @property {(files: Iterable<File>) => void} add
 * @property {(key: string) => void} cancel
 * @property {(key: string) => void} dismiss
 * @property {(id: string) => void} withdraw a file of this end that arrives and is sent by no page any more
 * @property {(key: string) => void} retry
 * @property {(file: FileNoun, options?: {inline?: boolean}) => string} url
 *
 * @typedef {object} DeviceActions
 * @property {(on: boolean) => void} microphone
 * @property {(on: boolean) => void} camera
 * @property {() => void} flip front and rear in turn
 * @property {(id: string) => void} pickCamera
 * @property {(id: string) => void} pickMicrophone
 * @property {() => void} retry ask for camera and microphone again
 */

/**
 * The tablet.
 * @typedef {CallApp & CounterOwn} CounterApp
 * @typedef {object} CounterOwn
 * @property {Signal<"idle" | "blocked" | "consent" | "trouble">} screen
 * @property {Signal<boolean>} training what is placed from here, or the call that goes on, is 研修モード
 * @property {Signal<import("./eligibility.js").Eligibility | null>} eligibility why no call can be placed
 * @property {Signal<boolean | null>} agreed the resident's answer to the picture; null: not answered
 * @property {Signal<boolean>} checking the devices are tried outside of a call
 * @property {Signal<string | null>} chosen id of the procedure
 * @property {Signal<Health>} health of camera and microphone before a call
 * @property {Signal<boolean>} mirrored the own picture shows the front camera
 * @property {Signal<boolean>} busy a request is under way
 * @property {Signal<number>} stepSince ms of the server's clock when this page saw the step change
 * @property {Signal<number>} shotAt ms of the server's clock when a still was taken last
 * @property {Signal<string[]>} reopened steps that are done again since the line was lost
 * @property {Signal<string>} clerkTab of the clerk's zone
 * @property {(need: {step: string, need: number}, item: number, on: boolean) => void} tickOff 原本確認
 * @property {Signal<boolean>} readAloud
 * @property {import("./speech.js").Speech} speech
 * @property {import("../lib/clerk.js").ClerkSignIn} clerk who signs in by PIN
 * @property {Signal<boolean>} shift the dialog of a change of clerks is open
 * @property {(id: string) => void} choose
 * @property {() => void} begin from choosing to consent, or to why a call cannot be placed
 * @property {() => void} practise go on in 研修モード on a tablet that is for real calls
 * @property {(yes: boolean) => void} answer whether the resident wants the picture; yes turns the camera on
 * @property {() => void} explain why camera or microphone cannot be used, and what to do
 * @property {() => void} back
 * @property {() => void} place
 * @property {() => void} withdraw
 * @property {() => void} finish after the result was read
 * @property {(on: boolean) => void} setReadAloud
 */

/** @typedef {import("./wanted.js").DeviceHealth} DeviceHealth */
/** @typedef {{camera: DeviceHealth, microphone: DeviceHealth}} Health */

/**
 * The desk.
 * @typedef {CallApp & DeskOwn} DeskApp
 * @typedef {object} DeskOwn
 * @property {Signal<CallNoun[]>} today own calls of today that are closed
 * @property {Signal<Record<string, import("../lib/protocol.js").TotalNoun>>} totals how good they were, by id
 * @property {Signal<Outcome | null>} dialog the outcome that is being decided
 * @property {Signal<boolean>} busy
 * @property {Signal<number>} zoom 1, 2 or 4
 * @property {Signal<string[]>} compared keys of the stills beside the live picture
 * @property {ReturnType<typeof import("../pages/stepping.js").stepping>} steps
 * @property {(call: string, about: import("../lib/protocol.js").ApprovalNoun["about"], approve: boolean, reason: string | null) => void} answerApproval
 * @property {Signal<DocumentKind[]>} kinds
 * @property {Signal<string | null>} cardKind whose card (見本) is shown
 * @property {Signal<string>} sideTab of the tabs beside the picture
 * @property {Signal<boolean>} wide the window has room for chat and files at once
 * @property {Signal<string>} permission of notifications: default, granted, denied
 * @property {(call: string | null) => void} accept
 * @property {(call: string) => void} pass
 * @property {(state: "open" | "away") => void} setState
 * @property {(outcome: Outcome) => void} decide open the dialog
 * @property {() => void} putOff close the dialog without deciding
 * @property {(outcome: Outcome, reason: string | null) => void} close
 * @property {Signal<import("../lib/protocol.js").GuestNoun | null>} guest the third party that this page is in its call
 * @property {Signal<Invitable[] | null>} invitable who could be asked into the call or be given it, while the dialog is open
 * @property {() => void} openInvite
 * @property {() => void} closeInvite
 * @property {(id: string) => void} invite
 * @property {(id: string) => void} handOver the running call rings at this person's desk
 * @property {(id: string) => void} uninvite
 * @property {(call: string) => void} join come into the call that one is asked into
 * @property {() => void} leaveCall as a third party; or say no to being asked
 * @property {Signal<boolean>} asleep the browser lets no sound out until the page is touched
 * @property {() => void} tryRing
 * @property {() => void} askPermission
 */

/**
 * A kind of identity document with its card, as `GET /api/v1/documents` gives it.
 * @typedef {object} DocumentKind
 * @property {string} kind
 * @property {"a" | "b"} document_class
 * @property {Both} name
 * @property {{complete: boolean, source: Both | null, looks: {do: Both, see: Both}[]}} card
 */

/** @typedef {{id: string, name: string, kind: import("../lib/protocol.js").GuestKind | "verifier", state: "free" | "busy" | "away", joins: boolean, receives: boolean}} Invitable */

export {};
