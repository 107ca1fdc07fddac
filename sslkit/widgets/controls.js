// The browser half of controls.py: a slider, a drop-down and a picture, made of what the browser has. Native elements bring their
// keys and their roles along; what they lack here is only the true value in words, and peace from JupyterLab's shortcuts.

function element(tag, className, parent, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}

function quiet(node) {
  node.dataset.lmSuppressShortcuts = "true"; // JupyterLab's shortcuts end here: an arrow key belongs to the control
  node.addEventListener("keydown", (event) => event.stopPropagation()); // and elsewhere, too
}

function send(model, value) {
  model.set("value", value);
  model.save_changes(); // one message at a time: the next value leaves when the kernel has dealt with the last
}

function slider(model, el) {
  const [low, high, step, log, digits, options] = ["min", "max", "step", "log", "digits", "options"].map((name) => model.get(name));
  const span = Math.log(high / low); // a logarithmic slider has a hundred steps
  const place = (value) => (options.length ? options.indexOf(value) : log ? (100 * Math.log(value / low)) / span : value);
  const value = (place) => (options.length ? options[place] : log ? low * Math.exp((place * span) / 100) : place);
  const spoken = (value) => (options.length ? String(value) : value.toFixed(digits));
  const root = element("div", "sslkit-control", el);
  quiet(root);
  const pair = Array.isArray(model.get("value"));
  const label = element("label", "sslkit-label", root, model.get("description"));
  const handles = (pair ? ["from", "to"] : [""]).map((end) => {
    const input = element("input", "sslkit-range", root);
    input.type = "range";
    input.min = options.length || log ? 0 : low;
    input.max = options.length ? options.length - 1 : log ? 100 : high;
    input.step = options.length || log ? 1 : step;
    if (end) input.setAttribute("aria-label", `${model.get("description")}, ${end}`);
    return input;
  });
  const id = `sslkit-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  handles[0].id = label.htmlFor = id;
  const output = element("output", "sslkit-value", root);
  const now = () => {
    const found = handles.map((input) => value(Number(input.value)));
    return pair ? [Math.min(...found), Math.max(...found)] : found[0];
  };
  const write = () => {
    handles.forEach((input) => input.setAttribute("aria-valuetext", spoken(value(Number(input.value)))));
    output.textContent = [now()].flat().map(spoken).join(" to ");
  };
  const read = () => {
    if (JSON.stringify(model.get("value")) === JSON.stringify(now())) return; // it comes from here: leave the hand alone
    [model.get("value")].flat().forEach((one, k) => (handles[k].value = place(one)));
    write();
  };
  [model.get("value")].flat().forEach((one, k) => (handles[k].value = place(one)));
  write();
  handles.forEach((input) => input.addEventListener("input", () => { write(); send(model, now()); }));
  model.on("change:value", read);
  return () => model.off("change:value", read);
}

function choice(model, el) {
  const root = element("label", "sslkit-control", el);
  quiet(root);
  element("span", "sslkit-label", root, model.get("description"));
  const select = element("select", "sslkit-choice", root);
  model.get("options").forEach((name) => element("option", "", select, name));
  const read = () => (select.value = model.get("value"));
  read();
  select.addEventListener("change", () => send(model, select.value));
  model.on("change:value", read);
  return () => model.off("change:value", read);
}

function picture(model, el) {
  const image = element("img", "sslkit-picture", el);
  let url = "";
  const read = () => {
    const old = url;
    url = URL.createObjectURL(new Blob([model.get("value")], { type: "image/png" }));
    image.onload = () => URL.revokeObjectURL(old); // until then the old picture stands: nothing flickers
    image.width = model.get("width");
    image.alt = model.get("alt");
    image.src = url;
  };
  read();
  model.on("change:value", read);
  return () => {
    model.off("change:value", read);
    URL.revokeObjectURL(url);
  };
}

const KINDS = { slider, choice, picture };

export default { render: ({ model, el }) => KINDS[model.get("kind")](model, el) };
