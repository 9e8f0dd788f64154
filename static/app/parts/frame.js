/** One frame as a file, by way of the page's own elements that are never shown (lib/still.js). */

const QUALITY = 0.92;

/** A picture as a JPEG. @param {CanvasImageSource} source @param {number} width @param {number} height @returns {Promise<Blob | null>} */
export function draw(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.drawImage(source, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

/** A frame of a running camera. @param {MediaStreamTrack} track */
export const filmed = (track) => shownBy(track, (video) => draw(video, video.videoWidth, video.videoHeight));

const SMALL = { width: 64, height: 36 };

/** A frame made small, as RGBA. @param {MediaStreamTrack} track @returns {Promise<Uint8ClampedArray | null>} */
export const pixels = (track) =>
  shownBy(track, (video) => {
    const { width, height } = SMALL;
    const pen = Object.assign(document.createElement("canvas"), SMALL).getContext("2d");
    pen?.drawImage(video, 0, 0, width, height);
    return pen?.getImageData(0, 0, width, height).data ?? null;
  });

/**
 * What `look` finds in an element that plays the camera.
 * @template T
 * @param {MediaStreamTrack} track
 * @param {(video: HTMLVideoElement) => T | Promise<T>} look
 * @returns {Promise<T>}
 */
async function shownBy(track, look) {
  const video = document.createElement("video");
  video.muted = video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  try {
    await video.play();
    if (!video.videoWidth) await new Promise((done) => video.addEventListener("loadeddata", done, { once: true }));
    return await look(video);
  } finally {
    video.srcObject = null;
  }
}
