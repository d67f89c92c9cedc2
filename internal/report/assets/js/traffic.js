// Requests stacked by class, the 5xx again alone below, one zoom for both.
charts.traffic = (data, c, size) => {
  const narrow = size.width < 560;
  const start = (i) => data.start + i * data.step;
  const axisText = (ms) => (time(ms) === "00:00" ? date(ms) : data.step >= 864e5 ? date(ms) : time(ms));
  const color = (name) => c["c" + name];
  const total = data.series[0].views.map((_, i) => data.series.reduce((sum, s) => sum + s.views[i], 0));
  const errors = (data.series.find((s) => s.class === "5xx") || { views: total.map(() => 0) }).views;
  const points = (views) => views.map((v, i) => [start(i), v]);
  const few = total.length <= 60;
  const span = data.step >= 864e5 ? (ms) => date(ms) + " " + new Date(ms).getUTCFullYear()
    : (ms) => date(ms) + ", " + time(ms) + "–" + time(ms + data.step);
  const x = (index, labels) => ({
    type: "time", gridIndex: index, axisLine: { lineStyle: { color: c.line } }, axisTick: { show: false }, splitLine: { show: false },
    min: start(0), max: start(Math.max(total.length - (few ? 0 : 1), 1)),
    axisLabel: { show: labels, color: c.dim, fontSize: 11, hideOverlap: true, formatter: axisText },
    axisPointer: { show: true, label: { show: false }, lineStyle: { color: c.dim, type: "solid", opacity: 0.5 } },
  });
  const side = { left: narrow ? 40 : 48, right: 12 };
  const caption = (text, top) => ({ name: text, nameLocation: "end", nameGap: 8, nameTextStyle: { color: c.dim, fontSize: 11, align: "left", padding: [0, 0, 0, -side.left + 2] } });
  const series = data.series.map((s) => ({
    name: s.class, type: few ? "bar" : "line", stack: "all", data: points(s.views), xAxisIndex: 0, yAxisIndex: 0, symbol: "none", step: false,
    barCategoryGap: "12%", lineStyle: { width: s.class === "5xx" ? 1 : 0, color: color(s.class) }, areaStyle: { color: color(s.class), opacity: s.class === "5xx" ? 1 : 0.88 },
    itemStyle: { color: color(s.class) }, emphasis: { disabled: true }, sampling: undefined,
  }));
  series.push({
    name: "5xx alone", type: "bar", data: points(errors), xAxisIndex: 1, yAxisIndex: 1, itemStyle: { color: c.c5xx },
    barMinWidth: 1, barMaxWidth: 24, large: false, emphasis: { disabled: true },
  });
  return {
    ...plain, useUTC: true,
    grid: [{ ...side, top: 26, bottom: 178 }, { ...side, height: 56, bottom: 74 }],
    xAxis: [x(0, false), x(1, true)],
    yAxis: [
      { ...values(c), ...caption("requests"), gridIndex: 0 },
      { ...values(c), ...caption("5xx"), gridIndex: 1, splitNumber: 2 },
    ],
    axisPointer: { link: [{ xAxisIndex: "all" }], triggerOn: "mousemove|click" },
    tooltip: tooltip(c, (hits) => {
      const i = Math.round((hits[0].axisValue - data.start) / data.step);
      if (!(i >= 0 && i < total.length)) return "";
      const rows = data.series.map((s) => [color(s.class), s.class, group(s.views[i])]).reverse();
      return tip(span(start(i)), [...rows, ["", "all", group(total[i])], ["", "5xx share", share(errors[i], total[i])]]);
    }, { axisPointer: { type: "line", lineStyle: { color: c.dim } } }),
    dataZoom: [
      { type: "slider", xAxisIndex: [0, 1], height: 26, bottom: 12, left: side.left, right: side.right + 2, brushSelect: !narrow, showDetail: false, filterMode: "none",
        borderColor: c.line, fillerColor: c.bar, handleStyle: { color: c.card, borderColor: c.dim }, moveHandleSize: 0, handleSize: narrow ? "130%" : "100%",
        dataBackground: { lineStyle: { color: c.dim, opacity: 0.6, width: 0.75 }, areaStyle: { color: c.line } },
        selectedDataBackground: { lineStyle: { color: c.accent, width: 0.75 }, areaStyle: { color: c.accent, opacity: 0.25 } } },
      // A wheel or a finger scrolls the page; with Ctrl the wheel zooms.
      { type: "inside", xAxisIndex: [0, 1], zoomOnMouseWheel: "ctrl", moveOnMouseMove: false, moveOnMouseWheel: false, disabled: narrow, filterMode: "none" },
    ],
    series,
  };
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
