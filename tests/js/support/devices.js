/** A camera and a microphone in memory, that a test unplugs, refuses and mutes. */

export class Track {
  readyState = "live";
  enabled = true;
  muted = false;
  contentHint = "";
  /** @type {(() => void) | null} */
  onended = null;
  /** @type {(() => void) | null} */
  onmute = null;
  /** @type {(() => void) | null} */
  onunmute = null;

  /** @param {string} kind @param {any} [constraints] */
  constructor(kind, constraints = {}) {
    this.kind = kind;
    this.constraints = constraints;
  }

  stop() {
    this.readyState = "ended";
  }

  /** Unplugged, or taken away by the person. */
  vanish() {
    this.readyState = "ended";
    this.onended?.();
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    if (muted) this.onmute?.();
    else this.onunmute?.();
  }
}

export class Stream {
  /** @param {any[]} tracks */
  constructor(tracks) {
    this.tracks = tracks;
  }
  getTracks() {
    return this.tracks;
  }
}

export class Devices extends EventTarget {
  /** @type {Record<string, string | null>} name of the error that each kind gives */
  refuse = { audio: null, video: null };
  /** @type {any[]} */
  asked = [];
  /** @type {string[]} device ids that are there; empty: any */
  there = [];

  /** @param {any} constraints */
  async getUserMedia(constraints) {
    this.asked.push(constraints);
    await null;
    const tracks = [];
    for (const kind of ["audio", "video"]) {
      const wanted = constraints[kind];
      if (!wanted) continue;
      const gone = this.there.length > 0 && wanted.deviceId && !this.there.includes(wanted.deviceId.exact);
      const error = gone ? "OverconstrainedError" : this.refuse[kind];
      if (error) throw Object.assign(new Error(error), { name: error });
      tracks.push(new Track(kind, wanted));
    }
    return new Stream(tracks);
  }

  async enumerateDevices() {
    return [
      { kind: "videoinput", deviceId: "front", label: "前面カメラ" },
      { kind: "audioinput", deviceId: "mic", label: "マイク" },
      { kind: "audiooutput", deviceId: "out", label: "スピーカー" },
    ];
  }
}
