// The interactive curve of a port: drag zooms, a double click returns, gaps are hatched with their reason.
(() => {
  "use strict";
  const box = document.getElementById("chart");
  if (!box || typeof uPlot === "undefined") return;
  const words = box.dataset;
  const gapWords = JSON.parse(words.gaps);
  const plotBox = box.querySelector(".plot");
  const readout = box.querySelector(".readout");
  const offset = Number(words.offset);
  const height = 300;
  let plot = null;
  let data = null;
  let span = [Number(words.now) - 86400, Number(words.now)];
  let home = span;
  let asked = 0;
  box.hidden = false;

  const token = (name) => getComputedStyle(box).getPropertyValue(name).trim();
  const three = (value) => (value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2));
  const si = (value) => {
    const steps = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
    for (const [scale, prefix] of steps) if (Math.abs(value) >= scale * 0.9995) return [value / scale, prefix];
    return [value, ""];
  };
  const withUnit = (value) => {
    if (value == null) return "—";
    if (data.unit === "%") return `${three(value)} %`;
    const [scaled, prefix] = si(value);
    return `${value === 0 ? "0" : three(scaled)} ${prefix}${data.unit}`;
  };
  // The axis shows the office's clock wherever the reader is.
  const officeDate = (seconds) => new Date((seconds + offset) * 1000);
  const two = (n) => String(n).padStart(2, "0");
  const clock = (seconds) => {
    const d = officeDate(seconds);
    return `${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  };

  const hatch = (u) => {
    const c = u.ctx;
    for (const [from, to, reason] of data.gaps) {
      const left = Math.max(u.valToPos(from, "x", true), u.bbox.left);
      const right = Math.min(u.valToPos(to, "x", true), u.bbox.left + u.bbox.width);
      if (right - left < 1) continue;
      c.save();
      c.beginPath();
      c.rect(left, u.bbox.top, right - left, u.bbox.height);
      c.clip();
      c.fillStyle = token("--ng-gap");
      c.fillRect(left, u.bbox.top, right - left, u.bbox.height);
      c.strokeStyle = token("--ng-hatch");
      c.lineWidth = devicePixelRatio;
      c.beginPath();
      const pace = 7 * devicePixelRatio;
      for (let x = left - u.bbox.height; x < right; x += pace) {
        c.moveTo(x, u.bbox.top + u.bbox.height);
        c.lineTo(x + u.bbox.height, u.bbox.top);
      }
      c.stroke();
      const label = gapWords[reason] ?? reason;
      c.font = `${12 * devicePixelRatio}px ${getComputedStyle(box).fontFamily}`;
      const width = c.measureText(label).width;
      if (width + 16 * devicePixelRatio < right - left) {
        const x = (left + right - width) / 2;
        const y = u.bbox.top + 22 * devicePixelRatio;
        c.fillStyle = token("--ng-bg");
        c.fillRect(x - 6 * devicePixelRatio, y - 14 * devicePixelRatio, width + 12 * devicePixelRatio, 20 * devicePixelRatio);
        c.fillStyle = token("--ng-muted");
        c.fillText(label, x, y);
      }
      c.restore();
    }
  };

  const say = (u) => {
    const index = u.cursor.idx;
    readout.replaceChildren();
    if (index == null) {
      readout.textContent = words.tHint;
      return;
    }
    const at = u.data[0][index];
    const gap = data.gaps.find(([from, to]) => from <= at && at < to);
    readout.append(clock(at), " ");
    if (gap && u.data[1][index] == null) {
      readout.append(gapWords[gap[2]] ?? gap[2]);
      return;
    }
    for (const [word, series] of [[words.tIn, 1], [words.tOut, 2]]) {
      const value = document.createElement("b");
      value.textContent = withUnit(u.data[series][index]);
      readout.append(word, value);
    }
    for (const [word, low] of [[words.tIn, 5], [words.tOut, 7]]) {
      if (u.data[low][index] == null) continue;
      const range = `${withUnit(u.data[low][index])} – ${withUnit(u.data[low + 1][index])}`;
      readout.append(`${words.tUsual} ${word} ${range} `);
    }
  };

  const step = uPlot.paths.stepped({ align: 1 });
  const options = (width) => {
    const line = (name, label, more) => ({ label, stroke: token(name), width: 1.2, paths: step, points: { show: false }, ...more });
    const axis = { stroke: token("--ng-muted"), grid: { stroke: token("--ng-grid"), width: 1 }, ticks: { stroke: token("--ng-grid"), width: 1 }, font: `12px ${getComputedStyle(box).fontFamily}` };
    const speed = words.kind === "traffic" ? Number(words.speed) : words.kind === "utilisation" ? 100 : 0;
    return {
      width,
      height,
      tzDate: officeDate,
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
      scales: {
        x: { time: true, range: () => span },
        y: { range: (u, low, high) => [0, Math.max((high ?? 0) * 1.08, data.unit === "%" ? 1 : 10)] },
      },
      axes: [
        { ...axis, space: 64, size: 32, values: (u, ticks, a, space, gap) => ticks.map((t) => {
          const d = officeDate(t);
          if (gap >= 86400 || (d.getUTCHours() === 0 && d.getUTCMinutes() === 0)) return `${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
          return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
        }) },
        { ...axis, size: 88, values: (u, ticks) => ticks.map(withUnit) },
      ],
      series: [
        {},
        line("--ng-in", words.tIn, { fill: token("--ng-in") + "66" }),
        line("--ng-out", words.tOut, { width: 1.6 }),
        line("--ng-in", words.tInmax, { width: 0.7, alpha: 0.8 }),
        line("--ng-out", words.tOutmax, { width: 0.7, alpha: 0.7 }),
        ...["--ng-in", "--ng-in", "--ng-out", "--ng-out"].map((name) => line(name, words.tUsual, { width: 0, auto: false })),
      ],
      // What is usual: it is drawn behind, and the scale stays that of the curves.
      bands: [{ series: [6, 5], fill: token("--ng-in") + "29" }, { series: [8, 7], fill: token("--ng-out") + "24" }],
      hooks: {
        drawClear: [hatch],
        draw: [(u) => {
          if (!speed) return;
          const y = u.valToPos(speed, "y", true);
          if (y < u.bbox.top) return;
          u.ctx.save();
          u.ctx.strokeStyle = token("--ng-muted");
          u.ctx.lineWidth = devicePixelRatio;
          u.ctx.beginPath();
          u.ctx.moveTo(u.bbox.left, y);
          u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
          u.ctx.stroke();
          u.ctx.restore();
        }],
        setCursor: [say],
        setSelect: [(u) => {
          if (u.select.width < 8) return;
          const from = u.posToVal(u.select.left, "x");
          const to = u.posToVal(u.select.left + u.select.width, "x");
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (to - from >= 120) load([Math.floor(from), Math.ceil(to)]);
        }],
        ready: [(u) => u.over.addEventListener("dblclick", () => load(home))],
      },
    };
  };

  const columns = () => {
    const times = data.s[0].map((_, index) => data.t0 + index * data.step);
    const none = times.map(() => null);
    const usual = data.usual ?? [[], [], [], []];
    const full = (values) => (values.length < times.length ? [...values, ...none.slice(values.length)] : values);
    return [times, ...data.s.map((values) => (values.length ? values : none)), ...usual.map(full)];
  };

  const draw = () => {
    plot?.destroy();
    plot = new uPlot(options(plotBox.clientWidth), columns(), plotBox);
    readout.textContent = words.tHint;
  };

  const load = async (next) => {
    const turn = ++asked;
    span = next;
    const slow = setTimeout(() => { readout.textContent = words.tLoading; }, 500);
    try {
      const answer = await fetch(`${words.url}&from=${span[0]}&to=${span[1]}`);
      if (!answer.ok) throw new Error(String(answer.status));
      const read = await answer.json();
      if (turn !== asked) return;
      data = read;
      box.dataset.points = String(read.s[0].length);
      draw();
    } catch {
      if (turn === asked) readout.textContent = words.tFailed;
    } finally {
      clearTimeout(slow);
    }
  };

  box.querySelector(".ranges").addEventListener("click", (event) => {
    const hours = event.target.dataset?.hours;
    if (!hours) return;
    for (const button of box.querySelectorAll(".ranges button")) button.removeAttribute("aria-pressed");
    event.target.setAttribute("aria-pressed", "true");
    const now = Math.max(home[1], Math.floor(Date.now() / 1000) < home[1] + 86400 ? Math.floor(Date.now() / 1000) : 0);
    home = [now - Number(hours) * 3600, now];
    load(home);
  });

  // The live stream's newest rate joins the curve when the view reaches up to now.
  document.addEventListener("point", (event) => {
    if (!data || words.kind !== "traffic") return;
    let point;
    try { point = JSON.parse(event.detail.data); } catch { return; }
    const end = data.t0 + data.s[0].length * data.step;
    if (span !== home || point.t < end - data.step) return;
    const slots = Math.floor((point.t - data.t0) / data.step);
    if (slots - data.s[0].length > 500) return;
    for (const values of data.s) while (values.length && values.length <= slots) values.push(null);
    data.s[0][slots] = point.in;
    data.s[1][slots] = point.out;
    if (point.t > span[1]) {
      home = span = [span[0] + (point.t - span[1]), point.t];
    }
    box.dataset.points = String(data.s[0].length);
    box.dataset.live = String(point.t);
    plot?.setData(columns());
  });

  document.addEventListener("netroom:theme", () => data && draw());
  let resizing = 0;
  new ResizeObserver(() => {
    clearTimeout(resizing);
    resizing = setTimeout(() => plot && plotBox.clientWidth !== plot.width && plot.setSize({ width: plotBox.clientWidth, height }), 80);
  }).observe(plotBox);
  load(home);
})();
