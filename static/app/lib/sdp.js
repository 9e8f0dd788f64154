/**
 * What the page adds to its own offers: that lost sound may be asked for again.
 *
 * Browsers offer this for pictures alone, and do it for sound too once both sides say so.
 */

const OPUS = /^a=rtpmap:(\d+) opus\/48000\/2$/i;

/**
 * Return the offer with `nack` among the feedback of Opus.
 * @param {string} sdp
 */
export function withSoundAgain(sdp) {
  const lines = sdp.split("\r\n");
  const said = new Set(lines);
  const added = lines.flatMap((line) => {
    const opus = OPUS.exec(line);
    const feedback = opus && `a=rtcp-fb:${opus[1]} nack`;
    return feedback && !said.has(feedback) ? [line, feedback] : [line];
  });
  return added.join("\r\n");
}
