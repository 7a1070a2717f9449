(async (js, wasm) => {
  // Keys that are pressed before somebody listens are not lost.
  const early = [];
  const hear = (event) => early.push(event);
  addEventListener("keydown", hear);
  await new Promise((go) => ("requestIdleCallback" in window ? requestIdleCallback(go, { timeout: 500 }) : go()));
  const mod = await import(js);
  await mod.default({ module_or_path: wasm });
  mod.hydrate();
  const outer = [];
  const walk = async (node) => {
    const tag = node.localName;
    if (tag === "leptos-island") {
      outer.at(-1)?.();
      await mod[node.dataset.component](node);
    }
    if (tag === "leptos-children") outer.push(node.$$on_hydrate);
    for (const child of node.children) await walk(child);
    if (tag === "leptos-children") outer.pop();
  };
  await walk(document.body);
  document.documentElement.dataset.live = "";
  removeEventListener("keydown", hear);
  for (const event of early.slice(-8)) event.target.dispatchEvent(new KeyboardEvent(event.type, event));
})
