// charts maps the name in data-chart to a function (data, colours, size) -> ECharts option.
const charts = {};
// live maps the name to the drawn chart.
const live = {};

const thin = "\u202f";
const group = (n) => {
  const digits = String(Math.round(Math.abs(n)));
  const grouped = digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, thin);
  return (n < 0 ? "−" : "") + grouped;
};
// compact is for axes: 1.5 M.
const compact = (n) => {
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(n) >= size) return String(Math.round((n / size) * 10) / 10) + thin + unit;
  }
  return Number.isInteger(n) ? String(n) : n.toFixed(1);
};
const share = (part, whole) => {
  if (!whole) return "–";
  const p = (100 * part) / whole;
  return (p === 0 || p === 100 ? p : p < 1 ? p.toFixed(2) : p.toFixed(1)) + "%";
};

const two = (n) => String(n).padStart(2, "0");
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const date = (ms) => { const t = new Date(ms); return t.getUTCDate() + "\u00a0" + months[t.getUTCMonth()]; };
const time = (ms) => { const t = new Date(ms); return two(t.getUTCHours()) + ":" + two(t.getUTCMinutes()); };
const dayOf = (iso) => Date.parse(iso + "T00:00:00Z");
const dayLabel = (iso) => { const ms = dayOf(iso); return weekday[new Date(ms).getUTCDay()] + " " + date(ms) + " " + iso.slice(0, 4); };

// tip builds a tooltip from text only: what the log says never becomes markup.
const tip = (title, rows) => {
  const box = document.createElement("div");
  box.className = "tip";
  box.append(Object.assign(document.createElement("b"), { textContent: title }));
  for (const [color, label, value] of rows) {
    const row = document.createElement("div");
    const swatch = document.createElement("i");
    if (color) { swatch.className = "swatch"; swatch.style.background = color; }
    row.append(swatch, Object.assign(document.createElement("span"), { textContent: label }),
      Object.assign(document.createElement("span"), { textContent: value }));
    box.append(row);
  }
  return box;
};

const colours = () => {
  const style = getComputedStyle(document.documentElement);
  return new Proxy({}, { get: (_, name) => style.getPropertyValue("--" + name).trim() });
};

// Parts that all charts share.
const tooltip = (c, formatter, more) => ({
  trigger: "axis", confine: true, transitionDuration: 0, backgroundColor: c.card, borderColor: c.line, borderWidth: 1,
  padding: [6, 10], textStyle: { color: c.ink, fontSize: 13 }, axisPointer: { type: "shadow", shadowStyle: { color: c.dim, opacity: 0.1 } },
  formatter, ...more,
});
const categories = (c, data, more) => ({
  type: "category", data, axisTick: { show: false }, axisLine: { lineStyle: { color: c.line } },
  axisLabel: { color: c.dim, fontSize: 11, hideOverlap: true, ...(more || {}) },
});
const values = (c, more) => ({
  type: "value", minInterval: 1, splitNumber: 4, axisLabel: { color: c.dim, fontSize: 11, formatter: compact },
  splitLine: { lineStyle: { color: c.line, opacity: 0.7 } }, ...more,
});
const plain = { animation: false, textStyle: { fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif" } };
