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
export async function filmed(track) {
  const video = document.createElement("video");
  video.muted = video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  try {
    await video.play();
    if (!video.videoWidth) await new Promise((done) => video.addEventListener("loadeddata", done, { once: true }));
    return await draw(video, video.videoWidth, video.videoHeight);
  } finally {
    video.srcObject = null;
  }
}
