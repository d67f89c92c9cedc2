const stacked = (c, labels, titles, people, bots, names) => ({
  ...plain, grid: { left: 44, right: 8, top: 12, bottom: 24 },
  xAxis: categories(c, labels), yAxis: values(c),
  tooltip: tooltip(c, ([hit]) => {
    const i = hit.dataIndex;
    return tip(titles[i], [[c.people, names[0], group(people[i])], [c.bots, names[1], group(bots[i])], ["", "all", group(people[i] + bots[i])]]);
  }),
  series: [
    { type: "bar", stack: "a", data: people, itemStyle: { color: c.people }, barMaxWidth: 44, barCategoryGap: "22%", emphasis: { disabled: true } },
    { type: "bar", stack: "a", data: bots, itemStyle: { color: c.bots }, barMaxWidth: 44, emphasis: { disabled: true } },
  ],
});

charts.visitors = ({ days }, c) => stacked(c, days.map((d) => date(dayOf(d.day))), days.map((d) => dayLabel(d.day) + (d.exact ? "" : " (estimate)")),
  days.map((d) => d.people), days.map((d) => d.all - d.people), ["without bots", "bots"]);

// Buckets run downwards, so that their names have room.
const ladder = (c, buckets, unit) => {
  const labels = buckets.map((b) => b.label);
  const all = buckets.reduce((sum, b) => sum + b.people + b.bots, 0);
  return {
    ...plain, grid: { left: 66, right: 14, top: 4, bottom: 22 },
    yAxis: { ...categories(c, labels, { hideOverlap: false, interval: 0 }), inverse: true, axisLine: { show: false } },
    xAxis: values(c, { splitNumber: 3 }),
    tooltip: tooltip(c, ([hit]) => {
      const b = buckets[hit.dataIndex];
      return tip(b.label + unit, [[c.people, "people", group(b.people)], [c.bots, "bots", group(b.bots)], ["", "share of all", share(b.people + b.bots, all)]]);
    }),
    series: [
      { type: "bar", stack: "a", data: buckets.map((b) => b.people), itemStyle: { color: c.people }, barCategoryGap: "28%", emphasis: { disabled: true } },
      { type: "bar", stack: "a", data: buckets.map((b) => b.bots), itemStyle: { color: c.bots }, emphasis: { disabled: true } },
    ],
  };
};
charts.lengths = ({ lengths }, c) => ladder(c, lengths, "");
charts.depths = ({ depths }, c) => ladder(c, depths, " page views");

charts.sessions = ({ days }, c) => {
  const option = stacked(c, days.map((d) => date(dayOf(d.day))), [], days.map((d) => d.people), days.map((d) => d.bots), []);
  option.grid.right = 40;
  option.yAxis = [option.yAxis, { ...values(c), min: 0, max: 100, interval: 50, splitLine: { show: false }, axisLabel: { color: c.dim, fontSize: 11, formatter: "{value}%" } }];
  option.series.push({
    type: "line", yAxisIndex: 1, data: days.map((d) => (d.people ? (100 * d.bounces) / d.people : null)), symbol: "circle", symbolSize: days.length > 40 ? 0 : 5,
    lineStyle: { color: c.c4xx, width: 2 }, itemStyle: { color: c.c4xx }, emphasis: { disabled: true },
  });
  option.tooltip.formatter = ([hit]) => {
    const d = days[hit.dataIndex];
    return tip(dayLabel(d.day), [[c.people, "people", group(d.people)], [c.bots, "bots", group(d.bots)], [c.c4xx, "bounce", share(d.bounces, d.people)]]);
  };
  return option;
};

charts.sizes = ({ buckets }, c) => {
  const all = buckets.reduce((sum, b) => sum + b.responses, 0);
  return {
    ...plain, grid: { left: 96, right: 14, top: 4, bottom: 22 },
    yAxis: { ...categories(c, buckets.map((b) => b.label), { hideOverlap: false, interval: 0 }), inverse: true, axisLine: { show: false } },
    xAxis: values(c, { splitNumber: 4 }),
    tooltip: tooltip(c, ([hit]) => tip(buckets[hit.dataIndex].label, [[c.people, "responses", group(buckets[hit.dataIndex].responses)], ["", "share", share(buckets[hit.dataIndex].responses, all)]])),
    series: [{ type: "bar", data: buckets.map((b) => b.responses), itemStyle: { color: c.people }, barCategoryGap: "28%", emphasis: { disabled: true } }],
  };
};

charts.hours = ({ rows }, c, size) => {
  const narrow = size.width < 440;
  const cells = rows.flatMap((r, y) => r.views.map((n, x) => [x, y, n / Math.max(r.days, 1), n]));
  const top = Math.max(...cells.map((cell) => cell[2]), 1);
  return {
    ...plain, grid: { left: narrow ? 34 : 40, right: 4, top: 6, bottom: 50 },
    xAxis: { ...categories(c, [...Array(24).keys()].map(two), { interval: 2, hideOverlap: false }), axisLine: { show: false } },
    yAxis: { ...categories(c, rows.map((r) => r.weekday.slice(0, 3)), { interval: 0, hideOverlap: false }), inverse: true, axisLine: { show: false } },
    visualMap: {
      min: 0, max: top, orient: "horizontal", left: narrow ? 34 : 40, bottom: 0, itemWidth: 10, itemHeight: 110, calculable: false, hoverLink: false,
      dimension: 2, inRange: { color: [c.heat0, c.heat1] }, text: [compact(top), "0"], textStyle: { color: c.dim, fontSize: 11 }, textGap: 6,
    },
    tooltip: tooltip(c, (hit) => {
      const [x, y, mean, sum] = hit.value, days = rows[y].days;
      return tip(rows[y].weekday + ", " + two(x) + ":00–" + two((x + 1) % 24) + ":00",
        days > 1 ? [["", "mean of " + days + " days", group(mean)], ["", "together", group(sum)]] : [["", "requests", group(sum)]]);
    }, { trigger: "item" }),
    series: [{ type: "heatmap", data: cells, itemStyle: { borderColor: c.card, borderWidth: 2, borderRadius: 3 }, emphasis: { itemStyle: { borderColor: c.ink, borderWidth: 1 } } }],
  };
};
