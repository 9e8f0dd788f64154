/* global document, innerWidth, innerHeight, getComputedStyle, Node, NodeFilter */
/**
 * What is wrong with the page as it stands: a list of `{kind, what}`.
 * Run in the page as an expression: `(<this file>)({role: "counter" | "desk" | "door"})`.
 *
 * sideways  the page scrolls sideways
 * scrolls   the desk scrolls outside of its lists
 * outside   a primary button is not wholly in sight
 * covered   something lies over a live picture, or over words
 * small     something to press is less than 44 px high or wide (32 in the lists of the desk)
 * tiny      text below 16 px (readings above characters: 14)
 * cut       words do not fit into their place
 * foreign   words of the other language that are not marked as such; `names` are said alike in both
 */
(({ role, names }) => {
  const TARGET_PX = 44;
  const LISTED_PX = 32;
  const TEXT_PX = 16;
  const READING_PX = 14;
  const LEAST_AIR_PX = 4;
  /** May scroll: lists and what is written. */
  const LISTS = ".scroll, .tmpl, .today, .clerk-panel, textarea, .vh, .vh *";
  const PRESSED = "button, a[href], input, select, textarea, summary";
  const found = [];
  const modal = document.querySelector("dialog:modal");
  const ground = modal ?? document.body;
  const add = (kind, what) => found.push({ kind, what });
  const seen = (element) =>
    element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !element.closest(".vh");
  const all = (selector) => [...ground.querySelectorAll(selector)].filter(seen);

  const name = (element) => {
    const words = (element.getAttribute("aria-label") ?? element.textContent ?? "").replace(/\s+/g, " ").trim();
    return `${element.localName}${element.id && `#${element.id}`}.${[...element.classList].join(".")} "${words.slice(0, 40)}"`;
  };
  const px = (value) => Math.round(value * 10) / 10;
  const meets = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

  /** The part of the window in which `element` can be seen, as its scrolling parents leave it. */
  const frame = (element) => {
    const box = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
    let inner = element;
    // A dialog stands on top of everything and is cut by nothing but the window.
    while (inner.localName !== "dialog" && inner.parentElement) {
      const parent = inner.parentElement;
      inner = parent;
      if (getComputedStyle(parent).overflow === "visible") continue;
      const edge = parent.getBoundingClientRect();
      box.left = Math.max(box.left, edge.left);
      box.top = Math.max(box.top, edge.top);
      box.right = Math.min(box.right, edge.right);
      box.bottom = Math.min(box.bottom, edge.bottom);
    }
    return box;
  };
  const within = (box, outer) =>
    box.left >= outer.left - 1 && box.top >= outer.top - 1 && box.right <= outer.right + 1 && box.bottom <= outer.bottom + 1;
  const topmost = (x, y) => document.elementFromPoint(x, y);

  const sideways = () => {
    const { scrollWidth } = document.documentElement;
    if (scrollWidth > innerWidth) add("sideways", `${scrollWidth} px in ${innerWidth}`);
  };

  const scrolls = () => {
    for (const element of [document.documentElement, ground, ...all("*")]) {
      if (element.matches(LISTS) || element.closest("svg, video") || element.matches(".video")) continue;
      const { overflowY } = getComputedStyle(element);
      if (overflowY === "visible" && element !== document.documentElement) continue;
      const more = element.scrollHeight - element.clientHeight;
      if (more > 1) add("scrolls", `${name(element)} by ${more} px`);
    }
  };

  const outside = () => {
    for (const button of all(".btn.primary, .btn.ok, .btn.stop.full, .callbtn")) {
      if (button.closest(".toasts")) continue;
      const box = button.getBoundingClientRect();
      if (!within(box, frame(button))) add("outside", name(button));
    }
  };

  /** Looked at in a grid of points; a frame in the same place may bear its name or withhold it. */
  const covered = () => {
    if (modal) return;
    const LOOKS = 12;
    for (const video of all("video")) {
      const [whole, edge] = [video.getBoundingClientRect(), frame(video)];
      const [left, top, right, bottom] = [
        Math.max(whole.left, edge.left),
        Math.max(whole.top, edge.top),
        Math.min(whole.right, edge.right),
        Math.min(whole.bottom, edge.bottom),
      ];
      const own = video.parentElement;
      const over = new Set();
      for (let i = 0; i < LOOKS * LOOKS; i += 1) {
        const x = left + ((0.5 + (i % LOOKS)) * (right - left)) / LOOKS;
        const y = top + ((0.5 + Math.floor(i / LOOKS)) * (bottom - top)) / LOOKS;
        const upon = topmost(x, y);
        const meant = upon?.closest(".veil, .unblock") || (role === "counter" && upon?.closest(".tag"));
        if (upon && upon !== video && upon !== own && !meant) over.add(upon);
      }
      for (const element of over) add("covered", `${name(element)} over ${name(video)}`);
    }
  };

  const small = () => {
    for (const element of all(PRESSED)) {
      const label = element.closest("label") ?? (element.id && ground.querySelector(`label[for="${element.id}"]`));
      const listed = role === "desk" && element.matches("summary, li > .line, .need > .line");
      const target = element.matches("input[type=radio], input[type=checkbox]") && label ? label : element;
      const { width, height } = target.getBoundingClientRect();
      const least = listed ? LISTED_PX : TARGET_PX;
      if (Math.min(width, height) < least - 0.5) add("small", `${name(target)} ${px(width)}×${px(height)}`);
    }
  };

  const texts = () => {
    const walker = document.createTreeWalker(ground, NodeFilter.SHOW_TEXT, (node) =>
      node.data.trim() && node.parentElement && seen(node.parentElement)
        ? NodeFilter.FILTER_ACCEPT
        : NodeFilter.FILTER_REJECT,
    );
    const nodes = [];
    while (walker.nextNode()) nodes.push(walker.currentNode);
    return nodes;
  };

  const tiny = (nodes) => {
    const told = new Set();
    for (const { parentElement } of nodes) {
      if (told.has(parentElement) || parentElement.closest("svg")) continue;
      told.add(parentElement);
      const size = parseFloat(getComputedStyle(parentElement).fontSize);
      if (size < (parentElement.closest("rt") ? READING_PX : TEXT_PX)) add("tiny", `${name(parentElement)} ${size} px`);
    }
    for (const field of all("input, textarea, select")) {
      const size = parseFloat(getComputedStyle(field).fontSize);
      if (size < TEXT_PX) add("tiny", `${name(field)} ${size} px`);
    }
  };

  const cut = () => {
    for (const element of all("*")) {
      const { overflowX } = getComputedStyle(element);
      const holds = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
      const clips = overflowX !== "visible" || element.matches(".btn, button, .chip");
      if (clips && holds && !element.matches("textarea, option, select") && element.scrollWidth > element.clientWidth + 1) {
        add("cut", `${name(element)} by ${element.scrollWidth - element.clientWidth} px`);
      }
    }
    const range = document.createRange();
    for (const button of all("button, .btn, .chip, label, [role=tab]")) {
      const parent = button.parentElement?.getBoundingClientRect();
      const box = button.getBoundingClientRect();
      if (parent && parent.width > 0 && box.right > parent.right + 1) add("cut", `${name(button)} sticks out by ${px(box.right - parent.right)} px`);
      range.selectNodeContents(button);
      const inner = range.getBoundingClientRect();
      const air = Math.min(inner.left - box.left, box.right - inner.right);
      if (inner.width > 0 && air < LEAST_AIR_PX && !button.matches("label")) add("cut", `${name(button)} touches its edge: ${px(air)} px`);
    }
  };

  /** Words that can be seen, but for something that lies over them. */
  const hidden = (nodes) => {
    const range = document.createRange();
    for (const node of nodes) {
      const element = node.parentElement;
      const line = modal ? null : element.closest(".toasts");
      if (line || element.closest("select, textarea, svg, rt")) continue;
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        if (box.width < 2 || !within(box, frame(element))) continue;
        const top = topmost(box.left + box.width / 2, box.top + box.height / 2);
        if (!top || element.contains(top) || top.contains(element) || top.closest(".toasts")) continue;
        const sticky = top.closest(".cfoot, thead");
        if (sticky && !sticky.contains(element)) continue; // It scrolls below what stays.
        if (meets(top.getBoundingClientRect(), box)) add("covered", `${name(top)} over "${node.data.trim().slice(0, 40)}"`);
      }
    }
  };

  const foreign = (nodes) => {
    const english = document.documentElement.lang === "en";
    const strange = english ? /[\u3041-\u30fa\u4e00-\u9fff]/ : /[A-Za-z]{3,}/;
    for (const node of nodes) {
      const marked = node.parentElement.closest(`[lang]:not(html)`);
      const said = node.parentElement.closest(".msg, .file b, dialog.full h2, .toasts, kbd, .mono, .hash, option, .viewed, textarea");
      if (said || (marked && marked.lang !== document.documentElement.lang)) continue;
      const left = names.reduce((text, each) => text.replaceAll(each, ""), node.data);
      if (strange.test(left)) add("foreign", `${name(node.parentElement)}: ${left.trim().slice(0, 60)}`);
    }
  };

  const nodes = texts();
  sideways();
  if (role === "desk") scrolls();
  outside();
  covered();
  small();
  tiny(nodes);
  cut();
  hidden(nodes);
  foreign(nodes);
  return found;
})
