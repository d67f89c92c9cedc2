// Alerts, anomalies and the expected range, as they are marked on the traffic chart.
const severity = ["critical", "warning", "info"];

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

// during are the alerts and anomalies of a span of time, as rows of a tooltip.
const during = (marks, from, to, c) => {
  if (!marks) return [];
  const rows = [];
  for (const a of marks.anomalies || []) if (a.at >= from && a.at < to) rows.push([c.ink, a.text, String(a.score)]);
  for (const a of marks.alerts || []) if (a.from < to && (!a.to || a.to >= from)) rows.push([c[a.severity] || c.info, a.text, a.to ? "" : "open"]);
  return rows.length > 6 ? [...rows.slice(0, 5), ["", "and " + (rows.length - 5) + " more", ""]] : rows;
};

const markSeries = (all, data, total, c) => {
  const middle = (i) => data.start + (i + 0.5) * data.step;
  const series = [], range = expected(all, data), { alerts, anomalies } = all.marks || {};
  const edge = { type: "line", stack: "expected", xAxisIndex: 0, yAxisIndex: 0, symbol: "none", z: 4, silent: true, lineStyle: { color: c.ink, width: 1.2, type: "dashed", opacity: 0.75 }, emphasis: { disabled: true } };
  if (range) {
    series.push({ ...edge, id: "low", data: range.map((r, i) => [middle(i), r && r.low]) });
    series.push({ ...edge, id: "high", data: range.map((r, i) => [middle(i), r && r.high - r.low]), areaStyle: { color: c.ink, opacity: 0.09 } });
  }
  if (anomalies) {
    const bins = [...new Set(anomalies.map((a) => Math.floor((a.at - data.start) / data.step)))].filter((i) => i >= 0 && i < total.length);
    series.push({
      id: "anomalies", type: "line", xAxisIndex: 0, yAxisIndex: 0, z: 6, silent: true, data: bins.map((i) => [middle(i), total[i]]), symbol: "diamond", symbolSize: 11, showSymbol: true, showAllSymbol: true,
      lineStyle: { width: 0, opacity: 0 }, itemStyle: { color: c.ink, borderColor: c.card, borderWidth: 1.5 }, emphasis: { disabled: true },
    });
  }
  for (const [y, name] of alerts ? severity.entries() : []) {
    const end = all.start + all.step * all.series[0].views.length;
    series.push({
      id: "alerts-" + name, type: "line", xAxisIndex: 2, yAxisIndex: 2, silent: true, connectNulls: false, symbol: "circle", symbolSize: 5, showSymbol: true, showAllSymbol: true,
      data: alerts.filter((a) => a.severity === name).flatMap((a) => [[a.from, y], [a.to || end, y], [a.to || end, null]]),
      lineStyle: { color: c[name], width: 5, cap: "round" }, itemStyle: { color: c[name] }, emphasis: { disabled: true },
    });
  }
  return series;
};
