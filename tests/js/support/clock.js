/** A clock that stands still until a test moves it; timers run in their order. */
export class Clock {
  constructor(now = Date.UTC(2026, 10, 23, 1, 0, 0)) {
    this.at = now;
    this.next = 1;
    /** @type {Map<number, {at: number, run: () => void}>} */
    this.timers = new Map();
    this.now = () => this.at;
    this.setTimer = (/** @type {() => void} */ run, /** @type {number} */ ms) => {
      const id = this.next++;
      this.timers.set(id, { at: this.at + ms, run });
      return id;
    };
    this.clearTimer = (/** @type {number} */ id) => void this.timers.delete(id);
  }

  /** Move on, running what falls due and letting promises settle. @param {number} ms */
  async pass(ms) {
    const end = this.at + ms;
    for (;;) {
      await settle();
      const due = [...this.timers].filter(([, timer]) => timer.at <= end);
      if (due.length === 0) break;
      const [id, timer] = due.reduce((a, b) => (b[1].at < a[1].at ? b : a));
      this.timers.delete(id);
      this.at = Math.max(this.at, timer.at);
      timer.run();
    }
    this.at = end;
    await settle();
  }
}

/** Let every promise that can settle do so. */
export async function settle() {
  for (let i = 0; i < 12; i += 1) await Promise.resolve();
}
