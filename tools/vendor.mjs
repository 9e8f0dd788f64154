// Copies the browser libraries from node_modules to static/vendor and rewrites
// bare imports to relative ones, so that pages run without build step or import map.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";

const FILES = {
  "preact.js": "preact/dist/preact.mjs",
  "preact-hooks.js": "preact/hooks/dist/hooks.mjs",
  "signals-core.js": "@preact/signals-core/dist/signals-core.mjs",
  "signals.js": "@preact/signals/dist/signals.mjs",
  "htm.js": "htm/dist/htm.mjs",
  "tokens.css": "@digital-go-jp/design-tokens/dist/tokens.css",
};
// What tsc reads instead of the minified file: the package's own types.
const TYPES = {
  "preact.d.ts": 'export * from "preact";\n',
  "preact-hooks.d.ts": 'export * from "preact/hooks";\n',
  "signals-core.d.ts": 'export * from "@preact/signals-core";\n',
  "signals.d.ts": 'export * from "@preact/signals";\n',
  "htm.d.ts": 'export { default } from "htm";\n',
};
const BARE = {
  preact: "./preact.js",
  "preact/hooks": "./preact-hooks.js",
  "@preact/signals-core": "./signals-core.js",
};

const root = new URL("../", import.meta.url);
const vendor = new URL("static/vendor/", root);
await rm(vendor, { recursive: true, force: true });
await mkdir(vendor, { recursive: true });
const sums = [];
for (const [name, source] of Object.entries(FILES)) {
  let text = await readFile(new URL(`node_modules/${source}`, root), "utf8");
  if (name.endsWith(".js")) {
    text = text.replace(
      /(\bfrom\s*|\bimport\s*)(["'])([^"'./][^"']*)\2/g,
      (whole, keyword, quote, bare) => {
        if (!BARE[bare]) throw new Error(`${source} imports ${bare}, which is not vendored`);
        return `${keyword}${quote}${BARE[bare]}${quote}`;
      },
    );
    text = text.replace(/^\/\/# sourceMappingURL=.*$/gm, "");
  }
  await writeFile(new URL(name, vendor), text);
  sums.push(`${createHash("sha256").update(text).digest("hex")}  ${name}`);
}
for (const [name, text] of Object.entries(TYPES)) await writeFile(new URL(name, vendor), text);
await writeFile(new URL("SHA256SUMS", vendor), `${sums.join("\n")}\n`);
