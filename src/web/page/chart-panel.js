// A chart that is also a table and a file. uPlot is loaded by the first of them.

import {dataTable} from './data-table.js';
import {classicScript, el, icon, styleSheet} from './dom.js';
import {texts} from './text.js';

const t = texts({
  en: {
    table: 'Table',
    tableOf: 'Table: {title}',
    csv: 'CSV',
    csvOf: 'CSV: download {title}',
    upTo: '{name} up to {value}',
    chartOf: 'Chart of {title}. {summary}. The table has all figures.',
  },
  es: {
    table: 'Tabla',
    tableOf: 'Tabla: {title}',
    csv: 'CSV',
    csvOf: 'CSV: descargar {title}',
    upTo: '{name} hasta {value}',
    chartOf: 'Gráfico de {title}. {summary}. La tabla tiene todos los valores.',
  },
});

let library = null;
const chartLibrary = () => (library ??= Promise.all([classicScript('uPlot.iife.js'), styleSheet('uPlot.min.css')]));

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * What it shows: {key: 'Time', keys: ['2026-…'], labels: ['18:00'], rowNames: ['28 Nov 18:00'], type: 'line' | 'bar',
 * format: (value) => text, series: [{name, values, colour: '--accent', dash: [4, 3]}]}. keys are for the file, labels
 * for the axis, rowNames for the table; a value of null is a gap.
 */
export class ChartPanel {
  #id;
  #title;
  #plot = el('div', {class: 'plot', role: 'img'});
  #legend = el('ul', {class: 'legend', 'aria-hidden': 'true'});
  #tip = el('div', {class: 'tip', hidden: true});
  #resized = new ResizeObserver(() => this.#fit());
  #table = el('div', {class: 'plot-table', hidden: true});
  #toggle;
  #grid = null;
  #columns = '';
  #chart = null;
  #shown = null;

  constructor(id, title) {
    this.#id = id;
    this.#title = title;
    this.#toggle = el('button', {type: 'button', 'aria-pressed': 'false', 'aria-label': t('tableOf', {title}), onclick: () => this.#showTable(!this.#isTable())}, icon('table'), t('table'));
    this.element = el('figure', {class: 'panel chart', id: `chart-${id}`, 'aria-labelledby': `chart-${id}-title`},
      el('div', {class: 'chart-head'},
        el('figcaption', {id: `chart-${id}-title`}, title),
        el('div', {class: 'row'}, this.#toggle,
          el('button', {type: 'button', 'aria-label': t('csvOf', {title}), onclick: () => this.#download()}, icon('download'), t('csv')))),
      this.#legend, this.#plot, this.#table);
    this.#resized.observe(this.#plot);
  }

  async show(data) {
    this.#shown = data;
    const summary = data.series.map(({name, values}) =>
      t('upTo', {name, value: data.format(Math.max(0, ...values.filter((value) => value !== null)))})).join(', ');
    this.#plot.setAttribute('aria-label', t('chartOf', {title: this.#title, summary}));
    if (this.#isTable()) this.#fillTable();
    try {
      await chartLibrary();
      if (this.#plot.isConnected) this.#update();
    } catch {
      this.#showTable(true);
    }
  }

  /** Colours are of the theme: draws anew with those that hold now. */
  recolour() {
    if (this.#chart) this.#draw();
  }

  destroy() {
    this.#resized.disconnect();
    this.#chart?.destroy();
    this.#chart = null;
  }

  #isTable() {
    return !this.#table.hidden;
  }

  #showTable(isTable) {
    this.#toggle.setAttribute('aria-pressed', String(isTable));
    this.#table.hidden = !isTable;
    this.#plot.hidden = isTable;
    this.#legend.hidden = isTable;
    if (isTable) this.#fillTable();
  }

  #fillTable() {
    const {key, series, rowNames, format} = this.#shown;
    const columns = JSON.stringify(series.map(({name}) => name));
    if (columns !== this.#columns) {
      this.#columns = columns;
      this.#grid = dataTable(this.#title, [key, ...series.map(({name}) => ({title: name, number: true}))]);
      this.#table.replaceChildren(this.#grid.element);
    }
    this.#grid.show(rowNames.map((name, i) => [name, ...series.map(({values}) => (values[i] === null ? '–' : format(values[i])))]));
  }

  #download() {
    const {key, keys, series} = this.#shown;
    const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
    const lines = [[key, ...series.map(({name}) => name)], ...keys.map((name, i) => [name, ...series.map(({values}) => values[i] ?? '')])];
    const text = lines.map((line) => line.map((value) => quoted(String(value))).join(',') + '\r\n').join('');
    const url = URL.createObjectURL(new Blob([text], {type: 'text/csv;charset=utf-8'}));
    el('a', {href: url, download: `decant-${this.#id}.csv`}).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  /** Fresh figures move into the chart that is there, so that nothing flickers under the pointer. */
  #update() {
    if (!this.#chart) return this.#draw();
    this.#chart.setData(this.#columnsOf());
    this.#showTip(this.#chart);
  }

  #draw() {
    const {series, type} = this.#shown;
    this.#chart?.destroy();
    this.#legend.replaceChildren(...(series.length > 1 ? series.map((one) => el('li', {}, swatch(one, type), one.name)) : []));
    this.#chart = new uPlot(this.#options(), this.#columnsOf(), this.#plot);
    this.#plot.append(this.#tip);
    this.#tip.hidden = true;
  }

  #fit() {
    if (this.#chart && this.#plot.clientWidth > 0) this.#chart.setSize(this.#size());
  }

  #size() {
    return {width: this.#plot.clientWidth, height: this.#plot.clientHeight};
  }

  /** x are places. Bars stand on each other: each is drawn over those that hold it. */
  #columnsOf() {
    const {labels, series, type} = this.#shown;
    const places = labels.map((label, place) => place);
    if (type === 'line') return [places, ...series.map(({values}) => values)];
    const sums = places.map(() => 0);
    const stacked = series.map(({values}) => values.map((value, place) => (sums[place] += value ?? 0)));
    return [places, ...stacked.reverse()];
  }

  #options() {
    const {type, format, series} = this.#shown;
    const widthOf = (texts) => 7 * Math.max(0, ...texts.map((text) => text.length));
    const axis = {stroke: colour('--muted'), font: `12px ${colour('--font')}`, ticks: {show: false}};
    const line = colour('--line');
    const drawn = type === 'bar' ? [...series].reverse() : series;
    return {
      ...this.#size(),
      legend: {show: false},
      padding: [6, 6, 0, 0],
      cursor: {y: false, drag: {x: false, y: false}, ...(type === 'bar' ? {points: {show: false}} : {})},
      scales: {
        x: {time: false, range: () => [-0.5, this.#shown.labels.length - 0.5]},
        y: {range: (chart, low, high) => [0, high > 0 ? high * 1.08 : 1]},
      },
      axes: [
        {...axis, grid: {show: false}, space: () => widthOf(this.#shown.labels) + 20, size: 28, incrs: [1, 2, 3, 4, 6, 8, 12, 24, 48, 96], values: (chart, places) => places.map((place) => this.#shown.labels[place] ?? '')},
        // Room for the half of the first label below, too.
        {...axis, grid: {stroke: line, width: 1}, space: 40, size: (chart, values) => Math.max(widthOf(values ?? []) + 14, widthOf(this.#shown.labels) / 2), values: (chart, values) => values.map((value) => format(value))},
      ],
      series: [{}, ...drawn.map((one) => (type === 'bar' ? bars(one) : lines(one)))],
      hooks: {setCursor: [(chart) => this.#showTip(chart)]},
    };
  }

  #showTip({cursor, over}) {
    const {series, rowNames, format, type} = this.#shown;
    const place = cursor.idx;
    this.#tip.hidden = place === null || place === undefined || cursor.left < 0;
    if (this.#tip.hidden) return;
    this.#tip.replaceChildren(el('strong', {}, rowNames[place]),
      ...series.map((one) => el('span', {}, swatch(one, type), `${one.name}: ${one.values[place] === null ? '–' : format(one.values[place])}`)));
    const [room, size] = [this.#plot.clientWidth, this.#tip.offsetWidth];
    const x = over.offsetLeft + cursor.left;
    this.#tip.style.insetInlineStart = `${Math.max(0, Math.min(x > room / 2 ? x - size - 12 : x + 12, room - size))}px`;
  }
}

/** A line's is dashed as the line is: colours alone do not tell them apart. */
function swatch({colour: variable, dash}, type) {
  const mark = el('span', {class: `swatch ${type}`});
  mark.style.borderColor = `var(${variable})`;
  if (dash) mark.style.borderStyle = dash[0] > dash[1] ? 'dashed' : 'dotted';
  return mark;
}

const bars = ({colour: variable}) => ({fill: colour(variable), width: 0, points: {show: false}, paths: uPlot.paths.bars({size: [0.85, 40]})});

function lines({values, colour: variable, dash = []}) {
  const ink = colour(variable);
  const points = values.filter((value) => value !== null).length;
  return {stroke: ink, width: 2, dash, spanGaps: true, points: {show: points <= 40, size: 5, fill: ink}};
}
