const draw = () => {
  const c = colours();
  for (const box of document.querySelectorAll("[data-chart]")) {
    const name = box.dataset.chart;
    const data = JSON.parse(box.closest("section").querySelector("script[type='application/json']").textContent);
    if (!live[name]) {
      live[name] = echarts.init(box, null, { renderer: "svg" });
      if (name === "traffic") refine(live[name], data, () => box.clientWidth);
    }
    const { start = 0, end = 100 } = live[name].getOption()?.dataZoom?.[0] || {};
    live[name].setOption(charts[name](data, c, { width: box.clientWidth }, { start, end }), true);
  }
};

// Redraw when the width changes, once per frame: labels depend on it.
let waiting = 0;
const redraw = () => {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(() => {
    for (const chart of Object.values(live)) chart.resize();
    draw();
  });
};

draw();
let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; redraw(); } });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

const paper = (on) => {
  document.documentElement.classList.toggle("print", on);
  for (const chart of Object.values(live)) chart.resize();
  draw();
};
addEventListener("beforeprint", () => paper(true));
addEventListener("afterprint", () => paper(false));

for (const bar of document.querySelectorAll(".zoom")) {
  bar.hidden = false;
  bar.addEventListener("click", (e) => {
    const how = e.target.closest("button")?.dataset.zoom;
    if (how && live.traffic) zoomTo(live.traffic, how);
  });
}
document.documentElement.dataset.drawn = Object.keys(live).length;
