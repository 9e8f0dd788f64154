/** 研修モード: the band on top of both pages. Purple means this and nothing else. */
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { t } from "./words.js";

/** The band, which cannot be closed, and the watermark of the page. */
export function TrainingBand() {
  return html`<aside class="train-band" aria-label=${t("training.title")}>
      <${Icon} name="grad" /><b>${t("training.title")}</b><span>${t("training.what")}</span>
    </aside>
    <${TrainingMark} />`;
}

/** The watermark: down both edges of the screen, where nothing else is; across every sheet of paper. */
export const TrainingMark = () => html`<div class="train-mark" aria-hidden="true"></div>`;

/** In a list: this call is 研修モード. @param {{call: {training: boolean}}} props */
export function TrainingChip({ call }) {
  return call.training && html` <span class="chip train"><${Icon} name="grad" />${t("training.chip")}</span>`;
}
