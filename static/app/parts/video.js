/** A picture of a call: the stream in its element, the veil over it, the training watermark. */
import { html, useEffect, useRef, useState } from "./html.js";
import { Icon } from "./icon.js";
import { t } from "./words.js";

/**
 * The element that plays `stream`. A browser that wants a press before it makes sound gets a button
 * for it; until then the picture runs without sound.
 * @param {{stream: MediaStream | null, label: string, muted?: boolean, onElement?: (element: HTMLVideoElement | null) => void}} props
 */
export function Playing({ stream, label, muted = false, onElement }) {
  const element = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const [blocked, setBlocked] = useState(false);
  useEffect(() => {
    const video = element.current;
    if (!video) return;
    onElement?.(video);
    video.muted = muted;
    if (video.srcObject !== stream) video.srcObject = stream;
    if (!stream) return;
    video.play().catch((error) => {
      if (error?.name !== "NotAllowedError") return;
      setBlocked(true);
      video.muted = true;
      video.play().catch(() => {});
    });
  }, [stream, muted]);
  const unmute = () => {
    setBlocked(false);
    if (!element.current) return;
    element.current.muted = muted;
    element.current.play().catch(() => setBlocked(true));
  };
  return html`
    <video ref=${element} playsinline autoplay aria-label=${label}></video>
    ${blocked &&
    !muted &&
    html`<button class="btn primary big unblock" type="button" onClick=${unmute}>
      <${Icon} name="speaker" />${t("video.unblock")}
    </button>`}
  `;
}

/**
 * Black with stripes: the picture is withheld or lost, and says which.
 * @param {{icon: string, title: string, as?: string, children?: import("./html.js").Node}} props
 */
export function Veil({ icon, title, as = "h2", children }) {
  return html`<div class="veil"><${Icon} name=${icon} /><${as}>${title}<//>${children}</div>`;
}
