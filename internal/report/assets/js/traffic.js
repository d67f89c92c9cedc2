// Widths that a point may have, in milliseconds.
const widths = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 40320, 524160].map((m) => m * 6e4);

// resample adds points up so that about one in three pixels gets one. shown is
// the visible part of the axis, 0 to 1.
const resample = (data, shown, pixels) => {
  const count = data.series[0].views.length;
  const least = (shown * count * data.step) / Math.max(pixels / 3, 40);
  const step = Math.max(data.step, widths.find((w) => w >= least && w % data.step === 0) || data.step);
  const first = Math.floor(data.start / step), length = Math.floor((data.start + (count - 1) * data.step) / step) - first + 1;
  const series = data.series.map((s) => {
    const views = new Array(length).fill(0);
    s.views.forEach((v, i) => { views[Math.floor((data.start + i * data.step) / step) - first] += v; });
    return { class: s.class, views };
  });
  return { start: first * step, step, length, series };
};

const stepName = (ms) => {
  const [n, unit] = ms < 36e5 ? [ms / 6e4, "minute"] : ms < 864e5 ? [ms / 36e5, "hour"] : [ms / 864e5, "day"];
  return n > 1 ? "in " + n + " " + unit + "s" : unit === "hour" ? "an hour" : "a " + unit;
};

// Requests stacked by class, the 5xx again alone below, one zoom for both.
charts.traffic = (all, c, size, zoom = { start: 0, end: 100 }) => {
  const narrow = size.width < 560;
  const data = resample(all, (zoom.end - zoom.start) / 100, size.width - 60);
  const at = (i) => data.start + i * data.step;
  const color = (name) => c["c" + name];
  const total = Array.from({ length: data.length }, (_, i) => data.series.reduce((sum, s) => sum + s.views[i], 0));
  const errors = (data.series.find((s) => s.class === "5xx") || { views: total.map(() => 0) }).views;
  // A line has its points in the middle of their time, as a bar has.
  const points = (views) => views.map((v, i) => [at(i) + data.step / 2, v]);
  // Few points, or many without a request, make no line.
  const bars = data.length <= 90 || total.filter((n) => n === 0).length > data.length / 5;
  const span = (ms) => (data.step >= 864e5 ? date(ms) + " " + new Date(ms).getUTCFullYear() : date(ms) + ", " + time(ms) + "–" + time(ms + data.step));
  const x = (index, labels) => ({
    type: "time", gridIndex: index, axisLine: { lineStyle: { color: c.line } }, axisTick: { show: false }, splitLine: { show: false },
    min: all.start, max: all.start + all.step * all.series[0].views.length,
    axisLabel: { show: labels, color: c.dim, fontSize: 11, hideOverlap: true, formatter: (ms) => (time(ms) === "00:00" ? date(ms) : time(ms)) },
    axisPointer: { show: true, label: { show: false }, lineStyle: { color: c.dim, type: "solid", opacity: 0.5 } },
  });
  const side = { left: narrow ? 40 : 48, right: 22, outerBoundsMode: "none" };
  const caption = (text) => ({ name: text, nameLocation: "end", nameGap: 8, nameTextStyle: { color: c.dim, fontSize: 11, align: "left", padding: [0, 0, 0, 2 - side.left] } });
  const series = data.series.map((s) => ({
    id: s.class, name: s.class, type: bars ? "bar" : "line", stack: "all", data: points(s.views), xAxisIndex: 0, yAxisIndex: 0, symbol: "none",
    barCategoryGap: "12%", barMaxWidth: 36, lineStyle: { width: 0 }, areaStyle: { color: color(s.class), opacity: s.class === "5xx" ? 1 : 0.9 },
    itemStyle: { color: color(s.class) }, emphasis: { disabled: true },
  }));
  series.push({
    id: "errors", name: "5xx alone", type: "bar", data: points(errors), xAxisIndex: 1, yAxisIndex: 1, itemStyle: { color: c.c5xx },
    barMinWidth: 1.5, barMaxWidth: 36, barCategoryGap: "12%", emphasis: { disabled: true },
  });
  series.push(...markSeries(all, data, total, errors, c));
  const range = expected(all, data), above = lane(all.marks);
  const axes = above ? [0, 1, 2] : [0, 1];
  return {
    ...plain, useUTC: true,
    grid: [{ ...side, top: 26 + above, bottom: 170 }, { ...side, height: 56, bottom: 70 }, ...(above ? [{ ...side, top: 4, height: above - 4 }] : [])],
    xAxis: [x(0, false), x(1, true), ...(above ? [{ ...x(2, false), axisLine: { show: false } }] : [])],
    yAxis: [
      { ...values(c), ...caption("requests " + stepName(data.step)), gridIndex: 0 },
      { ...values(c), ...caption("5xx"), gridIndex: 1, splitNumber: 2 },
      ...(above ? [{ type: "value", gridIndex: 2, min: -0.5, max: 2.5, inverse: true, show: false }] : []),
    ],
    axisPointer: { link: [{ xAxisIndex: "all" }], triggerOn: "mousemove|click" },
    tooltip: tooltip(c, (hits) => {
      const i = Math.floor((hits[0].axisValue - data.start) / data.step);
      if (!(i >= 0 && i < total.length)) return "";
      const rows = data.series.map((s) => [color(s.class), s.class, group(s.views[i])]).reverse();
      if (range && range[i]) rows.push(["", "expected", group(range[i].low) + "–" + group(range[i].high)]);
      return tip(span(at(i)), [...rows, ["", "all", group(total[i])], ["", "5xx share", share(errors[i], total[i])], ...during(all, at(i), at(i + 1), c)]);
    }, { axisPointer: { type: "line", lineStyle: { color: c.dim } } }),
    dataZoom: [
      { type: "slider", xAxisIndex: axes, height: 26, bottom: 12, left: side.left, right: side.right, brushSelect: false, showDetail: false, showDataShadow: true, filterMode: "none",
        ...zoom, borderColor: c.line, backgroundColor: "transparent", fillerColor: c.accent + "1c", handleStyle: { color: c.card, borderColor: c.dim }, moveHandleSize: 0, handleSize: narrow ? "130%" : "100%",
        dataBackground: { lineStyle: { color: c.dim, width: 0.5 }, areaStyle: { color: c.dim, opacity: 0.2 } },
        selectedDataBackground: { lineStyle: { color: c.accent, width: 0.5 }, areaStyle: { color: c.accent, opacity: 0.3 } } },
      // A wheel or a finger scrolls the page; with Ctrl the wheel zooms.
      { type: "inside", xAxisIndex: axes, zoomOnMouseWheel: "ctrl", moveOnMouseMove: false, moveOnMouseWheel: false, disabled: narrow, filterMode: "none" },
    ],
    series,
  };
};

// refine gives the visible part the width of points that suits it.
const refine = (chart, data, width) => {
  let drawn = 0;
  chart.on("datazoom", () => {
    const { start, end } = chart.getOption().dataZoom[0];
    const { step } = resample(data, (end - start) / 100, width() - 60);
    if (step === drawn) return;
    drawn = step;
    const { series, yAxis, tooltip } = charts.traffic(data, colours(), { width: width() }, { start, end });
    chart.setOption({ series, yAxis, tooltip });
  });
};

// zoomTo moves the window [a, b], in percent of the axis.
const zoomTo = (chart, how) => {
  const { start, end } = chart.getOption().dataZoom[0];
  const width = end - start, middle = (start + end) / 2;
  const [a, b] = {
    in: [middle - width / 4, middle + width / 4], out: [middle - width, middle + width],
    left: [start - width / 2, end - width / 2], right: [start + width / 2, end + width / 2], all: [0, 100],
  }[how];
  const keep = Math.min(b - a, 100), from = Math.min(Math.max(a, 0), 100 - keep);
  chart.dispatchAction({ type: "dataZoom", dataZoomIndex: 0, start: from, end: from + keep });
};
