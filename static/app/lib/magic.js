/**
 * What a file is by its first bytes, so that a person hears of a wrong type before it travels. Pure.
 * The server looks again and decides.
 */

/** @type {readonly [type: string, offset: number, bytes: readonly number[]][]} */
const SIGNS = [
  ["image/jpeg", 0, [0xff, 0xd8, 0xff]],
  ["image/png", 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/gif", 0, [0x47, 0x49, 0x46, 0x38]],
  ["image/tiff", 0, [0x49, 0x49, 0x2a, 0x00]],
  ["image/tiff", 0, [0x4d, 0x4d, 0x00, 0x2a]],
  ["image/webp", 8, [0x57, 0x45, 0x42, 0x50]],
  ["image/bmp", 0, [0x42, 0x4d]],
  ["application/zip", 0, [0x50, 0x4b, 0x03, 0x04]],
];
const PDF = [0x25, 0x50, 0x44, 0x46, 0x2d];
/** Readers accept a PDF whose header stands a little further down. */
const PDF_WITHIN = 1024;
const HEIF_BRANDS = new Set(["heic", "heix", "heif", "hevc", "mif1", "msf1", "avif"]);

/** How many bytes `sniffType` wants to see. */
export const SNIFF_BYTES = PDF_WITHIN + PDF.length;

/**
 * The type of a file by its first bytes, or null.
 * @param {Uint8Array} head
 * @returns {string | null}
 */
export function sniffType(head) {
  const found = SIGNS.find(([, offset, sign]) => matches(head, offset, sign));
  if (found) return found[0];
  if (String.fromCharCode(...head.subarray(4, 8)) === "ftyp") {
    const brand = String.fromCharCode(...head.subarray(8, 12));
    return HEIF_BRANDS.has(brand) ? "image/heic" : "video/mp4";
  }
  for (let at = 0; at <= Math.min(PDF_WITHIN, head.length - PDF.length); at += 1) {
    if (matches(head, at, PDF)) return "application/pdf";
  }
  return null;
}

/** @param {Uint8Array} head @param {number} offset @param {readonly number[]} sign */
function matches(head, offset, sign) {
  return sign.every((byte, i) => head[offset + i] === byte);
}
