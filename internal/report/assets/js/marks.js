// Alerts, anomalies and the expected range, as they are marked on the traffic chart.
const severities = ["critical", "warning", "info"];

// lane is the room above the chart that alerts take.
const lane = (marks) => (marks && marks.alerts ? 26 : 0);

// expected adds the range up over the points that data has, and leaves out those of
// which not even half is known.
const expected = (all, data) => {
  const { low, high } = all.marks || {};
  if (!low) return null;
  const bins = Array.from({ length: data.length }, () => ({ low: 0, high: 0, known: 0, points: 0 }));
  low.forEach((v, i) => {
    const bin = bins[Math.floor((all.start + i * all.step - data.start) / data.step)];
    bin.points++;
    if (v === null) return;
    bin.low += v; bin.high += high[i]; bin.known++;
  });
  return bins.map((b) => (b.known && 2 * b.known >= b.points ? { low: (b.low * b.points) / b.known, high: (b.high * b.points) / b.known } : null));
};

// most is the greatest number of open alerts of a severity in a span of time.
const most = (all, name, from, to) => {
  const counts = all.marks.alerts[name] || [], index = (ms) => (ms - all.start) / all.step;
  return Math.max(0, ...counts.slice(Math.max(0, Math.floor(index(from))), Math.ceil(index(to))));
};

// during are the alerts and anomalies of a span of time, as rows of a tooltip.
const during = (all, from, to, c) => {
  const { alerts, listed = [], anomalies = [] } = all.marks || {}, rows = [];
  const some = (list, row) => {
    rows.push(...list.slice(0, 3).map(row));
    if (list.length > 3) rows.push(["", "and " + (list.length - 3) + " more", ""]);
  };
  some(anomalies.filter((a) => a.at >= from && a.at < to).sort((a, b) => b.score - a.score), (a) => [c.ink, a.text, String(a.score)]);
  for (const name of alerts ? severities : []) {
    const n = most(all, name, from, to);
    if (n) rows.push([c[name], name + (n > 1 ? " alerts" : " alert"), group(n)]);
  }
  some(listed.filter((a) => a.from < to && (!a.to || a.to >= from)), (a) => ["", a.text, a.to ? "" : "open"]);
  return rows;
};

const markSeries = (all, data, total, errors, c) => {
  const middle = (i) => data.start + (i + 0.5) * data.step;
  const series = [], range = expected(all, data), { alerts, anomalies } = all.marks || {};
  const edge = { type: "line", stack: "expected", xAxisIndex: 0, yAxisIndex: 0, symbol: "none", z: 4, silent: true, lineStyle: { color: c.ink, width: 1.2, type: "dashed", opacity: 0.75 }, emphasis: { disabled: true } };
  if (range) {
    series.push({ ...edge, id: "low", data: range.map((r, i) => [middle(i), r && r.low]) });
    series.push({ ...edge, id: "high", data: range.map((r, i) => [middle(i), r && r.high - r.low]), areaStyle: { color: c.ink, opacity: 0.09 } });
  }
  // A line without a line is a mark at each of its points.
  const plots = [["all", total], ["5xx", errors]];
  for (const [y, [on, heights]] of anomalies ? plots.entries() : []) {
    const bins = [...new Set(anomalies.filter((a) => a.on === on).map((a) => Math.floor((a.at - data.start) / data.step)))].filter((i) => i >= 0 && i < total.length);
    series.push({
      id: "anomalies-" + on, type: "line", xAxisIndex: y, yAxisIndex: y, z: 6, silent: true, data: bins.sort((a, b) => a - b).map((i) => [middle(i), heights[i]]), symbol: "diamond", symbolSize: 11, showSymbol: true, showAllSymbol: true,
      lineStyle: { width: 0, opacity: 0 }, itemStyle: { color: c.ink, borderColor: c.card, borderWidth: 1.5 }, emphasis: { disabled: true },
    });
  }
  for (const [y, name] of alerts ? severities.entries() : []) {
    const open = Array.from({ length: data.length }, (_, i) => most(all, name, data.start + i * data.step, data.start + (i + 1) * data.step));
    series.push({
      id: "alerts-" + name, type: "line", xAxisIndex: 2, yAxisIndex: 2, silent: true, connectNulls: false, symbol: "none",
      data: open.flatMap((n, i) => (n ? [[middle(i - 0.45), y], [middle(i + 0.45), y], ...(open[i + 1] ? [] : [[middle(i + 0.5), null]])] : [])),
      lineStyle: { color: c[name], width: 5 }, itemStyle: { color: c[name] }, emphasis: { disabled: true },
    });
  }
  return series;
};
