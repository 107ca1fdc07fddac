// The explorer's browser half: linked maps on canvases, time, search, and a column with neighbours and selection. The same module
// runs as a widget and in a page of its own (explorer.py's `save`). All data comes as traits; nothing is fetched; words are written as
// text alone.

const REACH = 14; // CSS pixels within which the mouse finds a point
const SHOWN = 60; // thumbnails of a selection
const NEAR = 140; // when no more points than these are in view, they show as images
const ROUND = 2500; // up to here points are shapes; more are squares, which draw ten times faster
const KEYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SCALE = ["#5B4FC4", "#4C6BC0", "#3F83B5", "#3F97A0", "#4FA57F", "#7BA855", "#A8A03C", "#C58F35", "#D4713A", "#D24B45"]; // low to high

function numbers(view, Type) {
  if (!view || !view.byteLength) return new Type(0);
  return new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)); // a copy is aligned
}

function element(tag, className, parent, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}

function button(parent, text, name, act) {
  const node = element("button", "sslkit-button", parent, text);
  node.type = "button";
  node.setAttribute("aria-label", name);
  node.title = name;
  node.addEventListener("click", act);
  return node;
}

function path(context, marker, x, y, r) {
  if (marker === "s") context.rect(x - r, y - r, 2 * r, 2 * r);
  else if (marker === "^") { context.moveTo(x, y - 1.3 * r); context.lineTo(x + 1.2 * r, y + r); context.lineTo(x - 1.2 * r, y + r); context.closePath(); }
  else if (marker === "D") { context.moveTo(x, y - 1.4 * r); context.lineTo(x + 1.4 * r, y); context.lineTo(x, y + 1.4 * r); context.lineTo(x - 1.4 * r, y); context.closePath(); }
  else { context.moveTo(x + r, y); context.arc(x, y, r, 0, 2 * Math.PI); }
}

function inside(polygon, x, y) {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

function render({ model, el }) {
  const [tiles, maps, colours, names] = ["tiles", "maps", "colours", "names"].map((name) => model.get(name));
  const count = tiles.count;
  const k = tiles.neighbours;
  const points = numbers(model.get("points"), Float32Array);
  const neighbours = numbers(model.get("neighbours"), Int32Array);
  const values = numbers(model.get("values"), Float32Array);
  const sheet = URL.createObjectURL(new Blob([model.get("sprite")], { type: "image/png" }));
  const sprite = new Image();
  sprite.onload = () => redraw();
  sprite.src = sheet;
  const calm = window.matchMedia?.("(prefers-reduced-motion: reduce)").matches;

  let current = -1; // the point under the mouse or the keyboard
  let pinned = -1; // the point that was clicked
  let by = 0; // what colours the points
  let lit = -1; // the class that the legend singles out
  let time = 1; // 0 at the first frame, 1 at the last
  let playing = 0; // when it began, 0: it stands
  let lasso = false; // whether dragging selects
  let sought = ""; // what is searched for
  const active = new Uint8Array(count).fill(1); // what is not faint

  const root = element("div", "sslkit-explorer", el);
  root.dataset.lmSuppressShortcuts = "true"; // JupyterLab's shortcuts end here
  element("div", "sslkit-title", root, model.get("title"));
  const bar = element("div", "sslkit-bar", root);
  const stage = element("div", "sslkit-maps", root);
  const legend = element("div", "sslkit-legend", root);
  const side = element("div", "sslkit-side", root);
  const near = element("div", "sslkit-near", side);
  const chosen = element("div", "sslkit-chosen", side);
  const spoken = element("div", "sslkit-spoken", root);
  spoken.setAttribute("aria-live", "polite");

  const shared = colours.findIndex((one) => one.kind === "class"); // the classes, if there are any
  const value = (i, f = by) => values[f * count + i];
  const label = (i) => (shared >= 0 ? colours[shared].names[value(i, shared)] : "");
  const alike = (i, j) => value(i, shared) === value(j, shared);
  const words = (i) => [names[i], label(i)].filter(Boolean).join(", ") || `image ${i}`;
  const row = (m, i) => Array.from(neighbours.subarray((m * count + i) * k, (m * count + i + 1) * k));

  // --- one map -----------------------------------------------------------------------------

  let offset = 0;
  const panels = maps.map((about, m) => {
    const panel = { m, about, zoom: 1, x: 0.5, y: 0.5, sx: new Float32Array(count), sy: new Float32Array(count), start: offset };
    offset += about.frames * count * 2;
    const box = element("div", "sslkit-map", stage);
    panel.head = element("div", "sslkit-head", box, about.title);
    panel.stage = element("div", "sslkit-stage", box);
    panel.canvas = element("canvas", "sslkit-canvas", panel.stage);
    panel.canvas.tabIndex = 0;
    panel.canvas.setAttribute("role", "application");
    panel.canvas.setAttribute("aria-label", `${about.title}: map of ${count} images. Arrow keys move from point to point, Enter pins one, plus and minus zoom, 0 shows all, Escape clears.`);
    panel.tip = element("div", "sslkit-tip", panel.stage);
    panel.tip.hidden = true;
    listen(panel);
    return panel;
  });
  const frames = Math.max(...maps.map((one) => one.frames));

  function locate(panel) {
    const { canvas, about, zoom, sx, sy } = panel;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const at = time * (about.frames - 1);
    const first = Math.min(Math.floor(at), Math.max(0, about.frames - 2));
    const share = about.frames > 1 ? (calm ? Math.round(at - first) : at - first) : 0;
    const a = panel.start + first * count * 2;
    const b = about.frames > 1 ? a + count * 2 : a;
    for (let i = 0; i < count; i++) {
      const x = points[a + 2 * i] * (1 - share) + points[b + 2 * i] * share;
      const y = points[a + 2 * i + 1] * (1 - share) + points[b + 2 * i + 1] * share;
      sx[i] = ((x - panel.x) * zoom + 0.5) * width;
      sy[i] = ((1 - y - panel.y) * zoom + 0.5) * height;
    }
  }

  function draw(panel) {
    const { canvas, sx, sy } = panel;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return; // not on screen yet
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    locate(panel);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const ink = getComputedStyle(root).color;
    const radius = Math.min(6, (count > 8000 ? 1.2 : count > 1500 ? 2.2 : 3.2) * Math.sqrt(panel.zoom));
    for (const faint of [1, 0]) {
      context.globalAlpha = faint ? 0.15 : 0.9;
      for (const bucket of buckets) {
        context.fillStyle = bucket.colour;
        if (count <= ROUND) context.beginPath();
        for (const i of bucket.rows) {
          if (active[i] === faint || sx[i] < -9 || sy[i] < -9 || sx[i] > width + 9 || sy[i] > height + 9) continue;
          if (count <= ROUND) path(context, bucket.marker, sx[i], sy[i], radius);
          else context.fillRect(sx[i] - radius, sy[i] - radius, 2 * radius, 2 * radius);
        }
        if (count <= ROUND) context.fill();
      }
    }
    context.globalAlpha = 1;
    pictures(panel, context, width, height);
    const i = current >= 0 ? current : pinned;
    if (i >= 0) {
      context.strokeStyle = ink;
      context.lineWidth = 0.9;
      context.beginPath();
      for (const j of row(panel.m, i)) { context.moveTo(sx[i], sy[i]); context.lineTo(sx[j], sy[j]); }
      context.stroke();
      for (const j of [...row(panel.m, i), i]) {
        const look = buckets[bucketOf[j]];
        context.beginPath();
        path(context, look.marker, sx[j], sy[j], j === i ? 8 : 5);
        context.fillStyle = look.colour;
        context.fill();
        context.lineWidth = 1.5;
        context.stroke();
      }
    }
    const guest = model.get("guest");
    if (guest?.at) {
      const [u, v] = guest.at[panel.m];
      const [x, y] = [((u - panel.x) * panel.zoom + 0.5) * width, ((1 - v - panel.y) * panel.zoom + 0.5) * height];
      context.strokeStyle = ink;
      context.lineWidth = 2.5;
      context.beginPath();
      context.moveTo(x - 10, y); context.lineTo(x + 10, y); context.moveTo(x, y - 10); context.lineTo(x, y + 10);
      context.stroke();
    }
    if (panel.loop) {
      context.strokeStyle = ink;
      context.lineWidth = 1.2;
      context.setLineDash([4, 3]);
      context.beginPath();
      panel.loop.forEach(([x, y]) => context.lineTo(x, y));
      context.closePath();
      context.stroke();
      context.setLineDash([]);
    }
  }

  function pictures(panel, context, width, height) {
    if (panel.zoom < 1.5 || !sprite.complete || !sprite.naturalWidth) return;
    const shown = [];
    for (let i = 0; i < count && shown.length <= NEAR; i++) {
      if (active[i] && panel.sx[i] > 0 && panel.sy[i] > 0 && panel.sx[i] < width && panel.sy[i] < height) shown.push(i);
    }
    if (shown.length > NEAR) return;
    const size = Math.min(44, Math.max(20, Math.sqrt((width * height) / (6 * shown.length + 1))));
    context.imageSmoothingEnabled = false;
    for (const i of shown) {
      const [w, h] = [(size * tiles.width) / Math.max(tiles.width, tiles.height), (size * tiles.height) / Math.max(tiles.width, tiles.height)];
      const [x, y] = [panel.sx[i] - w / 2, panel.sy[i] - h / 2];
      context.fillStyle = buckets[bucketOf[i]].colour;
      context.fillRect(x - 2, y - 2, w + 4, h + 4);
      context.drawImage(sprite, (i % tiles.columns) * tiles.width, Math.floor(i / tiles.columns) * tiles.height, tiles.width, tiles.height, x, y, w, h);
    }
  }

  let asked = 0;
  function redraw() {
    asked ||= requestAnimationFrame(() => {
      asked = 0;
      panels.forEach(draw);
    });
  }

  // --- colours, and what is faint --------------------------------------------------------------

  let buckets = [];
  const bucketOf = new Uint8Array(count);
  function paint() {
    const about = colours[by];
    if (!about) buckets = [{ colour: "#808080", marker: "o" }];
    else if (about.kind === "class") buckets = about.styles.map(([colour, marker]) => ({ colour, marker }));
    else buckets = SCALE.map((colour) => ({ colour, marker: "o" }));
    const span = about?.kind === "number" ? about.high - about.low || 1 : 1;
    buckets.forEach((one) => (one.rows = []));
    for (let i = 0; i < count; i++) {
      const where = !about ? 0 : about.kind === "class" ? value(i) : Math.floor(((value(i) - about.low) / span) * SCALE.length);
      bucketOf[i] = Math.min(buckets.length - 1, Math.max(0, where));
      buckets[bucketOf[i]].rows.push(i);
    }
    lit = -1;
    legend.replaceChildren();
    if (about?.kind === "class") {
      about.names.forEach((name, c) => {
        const item = button(legend, "", name, () => {
          lit = lit === c ? -1 : c;
          [...legend.children].forEach((other, j) => other.setAttribute("aria-pressed", String(j === lit)));
          dim();
        });
        item.classList.add("sslkit-class");
        element("span", "sslkit-dot", item).style.background = buckets[c].colour;
        element("span", "", item, name);
        item.setAttribute("aria-pressed", "false");
      });
    } else if (about) {
      element("span", "", legend, about.low.toPrecision(3));
      SCALE.forEach((colour) => (element("span", "sslkit-step", legend).style.background = colour));
      element("span", "", legend, about.high.toPrecision(3));
    }
    dim();
  }

  function dim() {
    const selection = model.get("selected");
    const picked = selection.length ? new Uint8Array(count) : null;
    selection.forEach((i) => (picked[i] = 1));
    let found = 0;
    for (let i = 0; i < count; i++) {
      const hit = !sought || words(i).toLowerCase().includes(sought);
      found += hit;
      active[i] = hit && (lit < 0 || bucketOf[i] === lit) && (!picked || picked[i]);
    }
    if (tally) tally.textContent = sought ? `${found} found` : "";
    redraw();
  }

  // --- words and thumbnails beside the maps ----------------------------------------------------

  function thumbnail(i, size, parent, right) {
    const scale = size / Math.max(tiles.width, tiles.height);
    const node = element("div", "sslkit-thumb", parent);
    const [column, line] = [i % tiles.columns, Math.floor(i / tiles.columns)];
    node.style.cssText = `width:${tiles.width * scale}px;height:${tiles.height * scale}px;background-image:url(${sheet});` +
      `background-size:${tiles.columns * tiles.width * scale}px auto;background-position:${-column * tiles.width * scale}px ${-line * tiles.height * scale}px`;
    node.title = words(i);
    node.dataset.index = i;
    node.setAttribute("role", "img");
    node.setAttribute("aria-label", words(i));
    if (right !== undefined) node.classList.add(right ? "sslkit-right" : "sslkit-wrong");
    return node;
  }

  function tell() {
    const i = current >= 0 ? current : pinned;
    near.replaceChildren();
    if (i < 0) {
      element("div", "sslkit-hint", near, "Move over a point to see its image and its nearest neighbours; click to pin it. Drag to move the map, Shift and drag to select; click a map, then turn the wheel to zoom.");
      return;
    }
    const head = element("div", "sslkit-pin", near);
    thumbnail(i, 64, head);
    element("div", "", head, `${words(i)}${i === pinned ? " (pinned: Escape lets go)" : ""}`);
    panels.forEach(({ m, about }) => {
      const same = shared >= 0 ? row(m, i).filter((j) => alike(i, j)).length : 0;
      element("div", "sslkit-head", near, `Nearest in ${about.title}${shared >= 0 ? `: ${same} of ${k} are ${label(i)}` : ""}`);
      const strip = element("div", "sslkit-strip", near);
      for (const j of row(m, i)) thumbnail(j, 40, strip, shared >= 0 ? alike(i, j) : undefined);
    });
  }

  function tip(panel) {
    panels.forEach((other) => (other.tip.hidden = true));
    if (current < 0 || !panel) return;
    const [x, y] = [panel.sx[current], panel.sy[current]];
    const node = panel.tip;
    node.hidden = false;
    node.replaceChildren();
    thumbnail(current, 80, node);
    element("div", "", node, words(current));
    const wide = node.offsetWidth + 14;
    node.style.left = `${x + wide > panel.canvas.clientWidth && x > wide ? x - wide : x + 14}px`;
    node.style.top = `${Math.min(Math.max(0, y - node.offsetHeight / 2), Math.max(0, panel.canvas.clientHeight - node.offsetHeight))}px`;
  }

  function show(i, panel) {
    if (i === current) return;
    current = i;
    tip(panel);
    tell();
    redraw();
  }

  function pin(i) {
    pinned = i === pinned ? -1 : i;
    tell();
    redraw();
    if (i >= 0) spoken.textContent = `${words(i)}; ${panels.map(({ m, about }) => `nearest in ${about.title}: ${row(m, i).slice(0, 3).map(words).join("; ")}`).join(". ")}`;
  }

  function showSelection() {
    chosen.replaceChildren();
    const selection = model.get("selected");
    if (selection.length) {
      element("div", "sslkit-head", chosen, `${selection.length} selected`);
      if (shared >= 0) {
        const tally = new Map();
        for (const i of selection) tally.set(value(i, shared), (tally.get(value(i, shared)) || 0) + 1);
        for (const [c, n] of [...tally].sort((a, b) => b[1] - a[1])) {
          const line = element("div", "sslkit-count", chosen);
          element("span", "sslkit-dot", line).style.background = colours[shared].styles[c][0];
          element("span", "", line, `${n} ${colours[shared].names[c]}`);
        }
        panels.forEach(({ m, about }) => {
          const pairs = selection.flatMap((i) => row(m, i).map((j) => alike(i, j)));
          const share = Math.round((100 * pairs.filter(Boolean).length) / pairs.length);
          element("div", "sslkit-hint", chosen, `${about.title}: ${share} % of their nearest neighbours have the same class.`);
        });
      }
      const strip = element("div", "sslkit-strip", chosen);
      for (const i of selection.slice(0, SHOWN)) thumbnail(i, 32, strip);
      if (selection.length > SHOWN) element("div", "sslkit-hint", chosen, `and ${selection.length - SHOWN} more`);
    }
    dim();
  }

  function select(indices) {
    model.set("selected", indices);
    model.save_changes();
    showSelection();
    spoken.textContent = indices.length ? `${indices.length} selected` : "Selection cleared";
  }

  // --- mouse and keys --------------------------------------------------------------------------

  function at(panel, x, y) {
    let [best, distance] = [-1, REACH * REACH];
    for (let i = 0; i < count; i++) {
      const d = (panel.sx[i] - x) ** 2 + (panel.sy[i] - y) ** 2;
      if (d < distance && active[i]) [best, distance] = [i, d];
    }
    return best;
  }

  function zoom(panel, factor, x = panel.canvas.clientWidth / 2, y = panel.canvas.clientHeight / 2) {
    const [width, height] = [panel.canvas.clientWidth, panel.canvas.clientHeight];
    const before = panel.zoom;
    panel.zoom = Math.min(64, Math.max(1, before * factor));
    panel.x += (x / width - 0.5) * (1 / before - 1 / panel.zoom);
    panel.y += (y / height - 0.5) * (1 / before - 1 / panel.zoom);
    if (panel.zoom === 1) [panel.x, panel.y] = [0.5, 0.5];
    panel.tip.hidden = true;
    redraw();
  }

  function listen(panel) {
    const { canvas } = panel;
    let from = null; // where dragging began, and the view then
    const mouse = (event) => {
      const bounds = canvas.getBoundingClientRect();
      return [event.clientX - bounds.left, event.clientY - bounds.top];
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      const [x, y] = mouse(event);
      from = [x, y, panel.x, panel.y];
      if (lasso || event.shiftKey) panel.loop = [[x, y]];
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = mouse(event);
      if (panel.loop) {
        panel.loop.push([x, y]);
        redraw();
      } else if (from && Math.hypot(x - from[0], y - from[1]) > 3) {
        panel.x = from[2] - (x - from[0]) / canvas.clientWidth / panel.zoom;
        panel.y = from[3] - (y - from[1]) / canvas.clientHeight / panel.zoom;
        panel.tip.hidden = true;
        redraw();
      } else if (!from) show(at(panel, x, y), panel);
    });
    canvas.addEventListener("pointerup", (event) => {
      if (!from) return;
      const [x, y] = mouse(event);
      const [still, loop] = [Math.hypot(x - from[0], y - from[1]) < 4, panel.loop];
      from = panel.loop = null;
      if (loop && loop.length > 2) {
        const found = [...Array(count).keys()].filter((i) => inside(loop, panel.sx[i], panel.sy[i]));
        select(found);
      } else if (still) pin(at(panel, x, y));
      redraw();
    });
    canvas.addEventListener("pointercancel", () => { from = panel.loop = null; redraw(); });
    canvas.addEventListener("pointerleave", () => { if (!from) show(-1); });
    canvas.addEventListener("wheel", (event) => {
      if (document.activeElement !== canvas && !event.ctrlKey) return; // the page scrolls on
      event.preventDefault();
      zoom(panel, Math.exp(-event.deltaY / 300), ...mouse(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const step = KEYS[event.key];
      if (step) {
        const [x, y] = current < 0 ? [canvas.clientWidth / 2, canvas.clientHeight / 2] : [panel.sx[current], panel.sy[current]];
        let [best, cost] = [current, Infinity];
        for (let i = 0; i < count; i++) {
          const [dx, dy] = [panel.sx[i] - x, panel.sy[i] - y];
          const [along, across] = [dx * step[0] + dy * step[1], Math.abs(dx * step[1]) + Math.abs(dy * step[0])];
          if (i !== current && active[i] && along > 0.5 && along + 2 * across < cost) [best, cost] = [i, along + 2 * across];
        }
        show(best, panel);
        if (best >= 0) spoken.textContent = `${words(best)}; nearest: ${row(panel.m, best).slice(0, 3).map(words).join("; ")}`;
      } else if (event.key === "Enter" || event.key === " ") pin(current);
      else if (event.key === "+" || event.key === "=") zoom(panel, 1.5);
      else if (event.key === "-") zoom(panel, 1 / 1.5);
      else if (event.key === "0") zoom(panel, 1e-9);
      else if (event.key === "Escape") { pinned = -1; show(-1); tell(); select([]); }
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  // --- the bar -------------------------------------------------------------------------------------

  function labelled(text, node) {
    const box = element("label", "sslkit-field", bar);
    element("span", "", box, text);
    box.append(node);
    return node;
  }

  let clock = null;
  if (frames > 1) {
    const run = button(bar, "▶", "Play the map as it forms", () => (playing ? stop() : play()));
    clock = labelled("time", element("input", "sslkit-time"));
    Object.assign(clock, { type: "range", min: 0, max: 1, step: "any" });
    const when = element("output", "sslkit-when", bar);
    const times = maps.find((one) => one.frames === frames).times;
    const put = (to) => {
      time = to;
      clock.value = to;
      const name = times[Math.round(to * (frames - 1))];
      when.textContent = name;
      clock.setAttribute("aria-valuetext", name);
      redraw();
    };
    const tick = (now) => {
      if (!playing) return;
      const share = Math.min(1, (now - playing) / (220 * frames));
      put(share);
      if (share < 1) requestAnimationFrame(tick);
      else stop();
    };
    const play = () => { playing = performance.now(); run.textContent = "❚❚"; requestAnimationFrame(tick); };
    const stop = () => { playing = 0; run.textContent = "▶"; };
    clock.addEventListener("input", () => { stop(); put(Number(clock.value)); });
    clock.addEventListener("keydown", (event) => {
      const move = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (!move) return;
      event.preventDefault(); // a key moves by one moment
      stop();
      put(Math.min(1, Math.max(0, (Math.round(time * (frames - 1)) + move) / (frames - 1))));
    });
    put(1);
  }
  if (colours.length > 1) {
    const choose = labelled("colour by", element("select", "sslkit-choice"));
    colours.forEach((one, f) => (element("option", "", choose, one.name).value = f));
    choose.addEventListener("change", () => { by = Number(choose.value); paint(); });
  }
  let tally = null;
  if (names.length || shared >= 0) {
    const search = labelled("find", element("input", "sslkit-search"));
    search.type = "search";
    search.placeholder = names.length ? "name or class" : "class";
    tally = element("output", "sslkit-tally", bar);
    search.addEventListener("input", () => { sought = search.value.trim().toLowerCase(); dim(); });
  }
  const loops = button(bar, "lasso", "Dragging selects points", () => {
    lasso = !lasso;
    loops.setAttribute("aria-pressed", String(lasso));
  });
  loops.setAttribute("aria-pressed", "false");
  button(bar, "+", "Zoom in", () => panels.forEach((panel) => zoom(panel, 1.5)));
  button(bar, "−", "Zoom out", () => panels.forEach((panel) => zoom(panel, 1 / 1.5)));
  button(bar, "all", "Show all points", () => panels.forEach((panel) => zoom(panel, 1e-9)));
  if (model.get("finds")) {
    const file = labelled("an image of yours", element("input", "sslkit-file"));
    Object.assign(file, { type: "file", accept: "image/*" });
    file.addEventListener("change", async () => {
      const picture = await createImageBitmap(file.files[0]);
      const canvas = Object.assign(document.createElement("canvas"), { width: tiles.width, height: tiles.height });
      const side = Math.min(picture.width, picture.height); // the middle square
      canvas.getContext("2d").drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, tiles.width, tiles.height);
      const rgba = canvas.getContext("2d").getImageData(0, 0, tiles.width, tiles.height).data;
      model.send({ kind: "find" }, undefined, [rgba.buffer]);
    });
  }
  function meet() {
    const guest = model.get("guest");
    if (guest?.near) {
      near.replaceChildren();
      guest.near.forEach((rows, m) => {
        element("div", "sslkit-head", near, `Nearest to your image in ${maps[m].title}`);
        const strip = element("div", "sslkit-strip", near);
        rows.forEach((j) => thumbnail(j, 40, strip));
      });
    }
    redraw();
  }

  model.on("change:selected", showSelection);
  model.on("change:guest", meet);
  const observer = new ResizeObserver(redraw);
  panels.forEach(({ canvas }) => observer.observe(canvas));
  paint();
  tell();
  showSelection();
  return () => {
    playing = 0;
    observer.disconnect();
    model.off("change:selected", showSelection);
    model.off("change:guest", meet);
    cancelAnimationFrame(asked);
    URL.revokeObjectURL(sheet);
  };
}

export default { render };
