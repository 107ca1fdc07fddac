// The embedding explorer's browser half: a canvas with points, a tooltip, and a column with neighbours and selection.
// All data comes from the Python half as binary traits; nothing is fetched.

const REACH = 14; // CSS pixels within which the mouse finds a point
const SHOWN = 60; // thumbnails of a selection
const KEYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

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

function path(context, marker, x, y, r) {
  context.beginPath();
  if (marker === "s") context.rect(x - r, y - r, 2 * r, 2 * r);
  else if (marker === "^") { context.moveTo(x, y - 1.3 * r); context.lineTo(x + 1.2 * r, y + r); context.lineTo(x - 1.2 * r, y + r); context.closePath(); }
  else if (marker === "D") { context.moveTo(x, y - 1.4 * r); context.lineTo(x + 1.4 * r, y); context.lineTo(x, y + 1.4 * r); context.lineTo(x - 1.4 * r, y); context.closePath(); }
  else context.arc(x, y, r, 0, 2 * Math.PI);
}

function render({ model, el }) {
  const points = numbers(model.get("points"), Float32Array);
  const labels = numbers(model.get("labels"), Int32Array);
  const neighbours = numbers(model.get("neighbours"), Int32Array);
  const [tiles, classes, styles, names] = ["tiles", "classes", "styles", "names"].map((name) => model.get(name));
  const count = points.length / 2;
  const k = tiles.neighbours;
  const sheet = URL.createObjectURL(new Blob([model.get("sprite")], { type: "image/png" }));
  let current = -1; // the point under the mouse or the keyboard
  let box = null; // [x0, y0, x1, y1] while dragging
  let lit = -1; // the class that the legend singles out

  const root = element("div", "sslkit-explorer", el);
  const left = element("div", "sslkit-map", root);
  element("div", "sslkit-title", left, model.get("title"));
  const stage = element("div", "sslkit-stage", left);
  const canvas = element("canvas", "sslkit-canvas", stage);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", `Map of ${count} images. Arrow keys move from point to point, Enter selects a point and its neighbours, Escape clears.`);
  const tip = element("div", "sslkit-tip", stage);
  tip.hidden = true;
  const legend = element("div", "sslkit-legend", left);
  const side = element("div", "sslkit-side", root);
  const near = element("div", "sslkit-near", side);
  const chosen = element("div", "sslkit-chosen", side);
  const spoken = element("div", "sslkit-spoken", side);
  spoken.setAttribute("aria-live", "polite");

  const label = (i) => (labels.length ? classes[labels[i]] : "");
  const words = (i) => [names[i], label(i)].filter(Boolean).join(", ") || `image ${i}`;
  const row = (i) => Array.from(neighbours.subarray(i * k, (i + 1) * k));
  const place = (i) => [points[2 * i] * canvas.clientWidth, (1 - points[2 * i + 1]) * canvas.clientHeight];

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

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return; // not on screen yet
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const selection = new Set(model.get("selected"));
    const radius = count > 1500 ? 2.6 : 3.4;
    const point = (i, r, faint) => {
      const [colour, marker] = labels.length ? styles[labels[i]] : ["#5A5A5A", "o"];
      context.globalAlpha = faint ? 0.12 : 0.9;
      path(context, marker, ...place(i), r);
      context.fillStyle = colour;
      context.fill();
    };
    for (let i = 0; i < count; i++) point(i, radius, (lit >= 0 && labels[i] !== lit) || (selection.size && !selection.has(i)));
    if (current >= 0) {
      const [x, y] = place(current);
      context.globalAlpha = 1;
      context.strokeStyle = "#222222";
      for (const j of row(current)) {
        context.lineWidth = 0.8;
        context.beginPath();
        context.moveTo(x, y);
        context.lineTo(...place(j));
        context.stroke();
      }
      for (const j of [current, ...row(current)]) {
        point(j, radius + (j === current ? 4 : 2), false);
        context.globalAlpha = 1;
        context.lineWidth = 1.5;
        context.stroke();
      }
    }
    context.globalAlpha = 1;
    if (box) {
      context.strokeStyle = "#222222";
      context.fillStyle = "rgba(0, 114, 178, 0.12)";
      context.lineWidth = 1;
      const [x0, y0, x1, y1] = box;
      context.fillRect(x0, y0, x1 - x0, y1 - y0);
      context.strokeRect(x0, y0, x1 - x0, y1 - y0);
    }
  }

  let asked = 0;
  const redraw = () => {
    asked ||= requestAnimationFrame(() => { asked = 0; draw(); });
  };

  function show(i) {
    if (i === current) return;
    current = i;
    tip.hidden = i < 0;
    tip.replaceChildren();
    near.replaceChildren();
    if (i < 0) {
      element("div", "sslkit-hint", near, "Move over a point to see its image; drag a box to select.");
    } else {
      thumbnail(i, 80, tip);
      element("div", "", tip, words(i));
      const [x, y] = place(i);
      const across = row(i).reduce((sum, j) => sum + place(j)[0] - x, 0); // the tip goes where fewer neighbours are
      const wide = tip.offsetWidth + 14;
      const toLeft = x < wide ? false : x + wide > canvas.clientWidth ? true : across > 0;
      tip.style.left = `${toLeft ? x - wide : x + 14}px`;
      tip.style.top = `${Math.min(Math.max(0, y - tip.offsetHeight / 2), Math.max(0, canvas.clientHeight - tip.offsetHeight))}px`;
      const same = labels.length ? row(i).filter((j) => labels[j] === labels[i]).length : 0;
      element("div", "sslkit-head", near, `Nearest in feature space${labels.length ? `: ${same} of ${k} are ${label(i)}` : ""}`);
      const strip = element("div", "sslkit-strip", near);
      for (const j of row(i)) thumbnail(j, 44, strip, labels.length ? labels[j] === labels[i] : undefined);
    }
    redraw();
  }

  function showSelection() {
    chosen.replaceChildren();
    const selection = model.get("selected");
    if (selection.length) {
      element("div", "sslkit-head", chosen, `${selection.length} selected`);
      if (labels.length) {
        const counts = new Map();
        for (const i of selection) counts.set(labels[i], (counts.get(labels[i]) || 0) + 1);
        for (const [c, n] of [...counts].sort((a, b) => b[1] - a[1])) {
          const line = element("div", "sslkit-count", chosen);
          element("span", "sslkit-dot", line).style.background = styles[c][0];
          element("span", "", line, `${n} ${classes[c]}`);
        }
        const pairs = selection.flatMap((i) => row(i).map((j) => labels[i] === labels[j]));
        const share = Math.round((100 * pairs.filter(Boolean).length) / pairs.length);
        element("div", "sslkit-hint", chosen, `${share} % of their nearest neighbours have the same class.`);
      }
      const strip = element("div", "sslkit-strip", chosen);
      for (const i of selection.slice(0, SHOWN)) thumbnail(i, 32, strip);
      if (selection.length > SHOWN) element("div", "sslkit-hint", chosen, `and ${selection.length - SHOWN} more`);
    }
    redraw();
  }

  function select(indices) {
    model.set("selected", indices);
    model.save_changes();
    showSelection();
    spoken.textContent = indices.length ? `${indices.length} selected` : "Selection cleared";
  }

  const mouse = (event) => {
    const bounds = canvas.getBoundingClientRect();
    return [event.clientX - bounds.left, event.clientY - bounds.top];
  };
  function at(x, y) {
    let [best, distance] = [-1, REACH * REACH];
    for (let i = 0; i < count; i++) {
      const [px, py] = place(i);
      const d = (px - x) ** 2 + (py - y) ** 2;
      if (d < distance) [best, distance] = [i, d];
    }
    return best;
  }
  const selectNear = (i) => select(i < 0 ? [] : [i, ...row(i)]);

  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = mouse(event);
    if (box) {
      [box[2], box[3]] = [x, y];
      redraw();
    } else show(at(x, y));
  });
  canvas.addEventListener("pointerleave", () => { if (!box) show(-1); });
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    const [x, y] = mouse(event);
    box = [x, y, x, y];
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!box) return;
    const [x0, x1] = [box[0], box[2]].sort((a, b) => a - b);
    const [y0, y1] = [box[1], box[3]].sort((a, b) => a - b);
    box = null;
    if (x1 - x0 < 4 && y1 - y0 < 4) return selectNear(at(...mouse(event)));
    const inside = [...Array(count).keys()].filter((i) => {
      const [x, y] = place(i);
      return x0 <= x && x <= x1 && y0 <= y && y <= y1;
    });
    select(event.shiftKey ? [...new Set([...model.get("selected"), ...inside])] : inside);
  });
  canvas.addEventListener("pointercancel", () => { box = null; redraw(); });
  canvas.addEventListener("keydown", (event) => {
    const step = KEYS[event.key];
    if (step) {
      const [x, y] = current < 0 ? [canvas.clientWidth / 2, canvas.clientHeight / 2] : place(current);
      let [best, cost] = [current, Infinity];
      for (let i = 0; i < count; i++) {
        const [dx, dy] = [place(i)[0] - x, place(i)[1] - y];
        const [along, across] = [dx * step[0] + dy * step[1], Math.abs(dx * step[1]) + Math.abs(dy * step[0])];
        if (i !== current && along > 0.5 && along + 2 * across < cost) [best, cost] = [i, along + 2 * across];
      }
      show(best);
      if (best >= 0) spoken.textContent = `${words(best)}; nearest: ${row(best).slice(0, 3).map(words).join("; ")}`;
    } else if (event.key === "Enter" || event.key === " ") selectNear(current);
    else if (event.key === "Escape") { show(-1); select([]); }
    else return;
    event.preventDefault();
    event.stopPropagation(); // else JupyterLab takes it for a command on cells
  });

  classes.forEach((name, c) => {
    const button = element("button", "sslkit-class", legend);
    element("span", "sslkit-dot", button).style.background = styles[c][0];
    element("span", "", button, name);
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      lit = lit === c ? -1 : c;
      [...legend.children].forEach((other, j) => other.setAttribute("aria-pressed", String(j === lit)));
      redraw();
    });
  });

  model.on("change:selected", showSelection);
  const observer = new ResizeObserver(draw);
  observer.observe(canvas);
  current = -2; // so that the first show(-1) writes the hint
  show(-1);
  showSelection();
  return () => {
    observer.disconnect();
    model.off("change:selected", showSelection);
    cancelAnimationFrame(asked);
    URL.revokeObjectURL(sheet);
  };
}

export default { render };
