// <decant-catalog>: the state of embeddings, jobs, indexes, migrations and searches, refreshed while it is looked at.

import {call, isAbort} from './api.js';
import {charts} from './catalog-charts.js';
import {JobStarter} from './catalog-jobs.js';
import {command} from './catalog-parts.js';
import {experiment, givenUp, indexes, jobs, migrations, models, quality, questions, strategies, syncs} from './catalog-sections.js';
import {t} from './catalog-text.js';
import {tilesOfCatalog, tilesOfSearches} from './catalog-tiles.js';
import {ChartPanel} from './chart-panel.js';
import {el, icon, replace, styleSheet} from './dom.js';
import {explain, failure, passesByItself} from './notice.js';
import {clockSeconds} from './text.js';

const interval = 10_000;
/** Ranges, and after how many intervals their figures are asked for again: those of a month hardly move. */
const ranges = {'1h': 1, '24h': 1, '7d': 6, '30d': 6};

const styled = styleSheet('catalog.css');

function rangeOfAddress() {
  const range = new URLSearchParams(location.hash.split('?')[1] ?? '').get('range');
  return range in ranges ? range : '24h';
}

/** A call, and the parts of the view that show its answer; they are hidden until there is one. */
class Source {
  place = el('div');
  #isShown = false;

  constructor(path, parts) {
    this.path = path;
    this.parts = parts;
    parts.forEach(({element}) => (element.hidden = true));
  }

  get isShown() {
    return this.#isShown;
  }

  show(answer) {
    this.#isShown = true;
    replace(this.place);
    for (const part of this.parts) {
      part.element.hidden = part.isFor ? !part.isFor(answer) : false;
      if (!part.element.hidden) part.show(answer);
    }
  }

  /** A notice that helps stays where it is: a new one would be read out again. With older figures there is none. */
  fail(error, retry) {
    if (!error || this.#isShown) return replace(this.place);
    if (this.place.firstChild?.dataset.status === String(error.status) && !passesByItself(error)) return;
    return replace(this.place, failure(error, retry));
  }
}

class CatalogView extends HTMLElement {
  #leave = new AbortController();
  #asked = new AbortController();
  #timer = 0;
  #rounds = 0;
  #range = rangeOfAddress();
  #isPaused = false;
  #time = null;

  connectedCallback() {
    const {signal} = this.#leave;
    this.#build();
    addEventListener('hashchange', () => this.#follow(), {signal});
    document.addEventListener('visibilitychange', () => this.#schedule(0), {signal});
    const recolour = () => this.panels.forEach((panel) => panel.recolour());
    document.addEventListener('decant-theme', recolour, {signal});
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolour, {signal});
    styled.then(() => signal.aborted || this.#refresh());
  }

  disconnectedCallback() {
    this.#leave.abort();
    this.#asked.abort();
    clearTimeout(this.#timer);
    this.panels.forEach((panel) => panel.destroy());
  }

  #build() {
    this.status = el('p', {class: 'small', id: 'as-of'}, t('loading'));
    this.trouble = el('p', {class: 'warning', role: 'status', id: 'refresh-trouble'});
    this.pause = el('button', {type: 'button', id: 'refresh-pause', onclick: () => this.#setPaused(!this.#isPaused)});
    this.buttons = Object.keys(ranges).map((range) =>
      el('button', {type: 'button', 'data-range': range, onclick: () => (location.hash = `#/catalog?range=${range}`)}, t(`range_${range}`)));
    const catalog = this.#buildCatalog();
    const searches = this.#buildSearches();
    const targets = quality();
    this.quality = new Source(() => `/api/v1/quality?time_range=${this.#range}`, [targets]);
    this.trial = experiment();
    // Shown when all that it has is there, so that nothing moves.
    this.body = el('div', {class: 'catalog-body'});
    replace(this,
      el('div', {class: 'catalog-head'},
        el('h1', {}, t('title')),
        el('div', {class: 'ranges', role: 'group', 'aria-label': t('range')}, this.buttons),
        el('div', {class: 'live'}, this.status, this.pause)),
      this.trouble,
      this.body);
    replace(this.body,
        this.catalog.place, catalog.tiles, this.searches.place, searches.tiles, searches.empty, searches.figures,
        targets.element,
        el('div', {class: 'columns'},
          el('div', {class: 'column'}, catalog.jobs, catalog.givenUp),
          el('div', {class: 'column'}, catalog.models, catalog.indexes, searches.questions)),
        this.trial.element, catalog.syncs, catalog.migrations);
    this.trial.element.hidden = true;
    this.body.hidden = true;
    this.#drawHead();
  }

  #buildCatalog() {
    const starter = new JobStarter(this.#leave.signal, () => this.#refresh());
    const parts = {tiles: tilesOfCatalog(), jobs: jobs(starter.element), givenUp: givenUp(), models: models(), indexes: indexes(), syncs: syncs(), migrations: migrations()};
    this.catalog = new Source(() => '/api/v1/pgvector/catalog', Object.values(parts));
    return elementsOf(parts);
  }

  #buildSearches() {
    this.panels = charts.map(({id, title}) => new ChartPanel(id, t(title)));
    const byStrategy = strategies();
    const parts = {
      tiles: tilesOfSearches(),
      empty: {element: noSearches(), isFor: ({search_metrics: all}) => all.total_searches === 0, show: () => {}},
      figures: {
        element: el('div', {class: 'charts'}, this.panels.map((panel) => panel.element), byStrategy.element),
        isFor: ({search_metrics: all}) => all.total_searches > 0,
        show: (metrics) => {
          charts.forEach(({of}, i) => this.panels[i].show(of(metrics)));
          byStrategy.show(metrics);
        },
      },
      questions: questions(),
    };
    this.searches = new Source(() => `/api/v1/pgvector/metrics?series=true&time_range=${this.#range}`, Object.values(parts));
    return elementsOf(parts);
  }

  #drawHead() {
    for (const button of this.buttons) button.setAttribute('aria-pressed', String(button.dataset.range === this.#range));
    replace(this.pause, icon(this.#isPaused ? 'play' : 'pause'), t(this.#isPaused ? 'resume' : 'pause'));
    if (this.#time) this.status.textContent = t(this.#isPaused ? 'paused' : 'asOf', {time: clockSeconds(this.#time)});
  }

  #setPaused(isPaused) {
    this.#isPaused = isPaused;
    this.#drawHead();
    this.#schedule(0);
  }

  /** The address was changed, by a button of a range or the browser's. */
  #follow() {
    if (!location.hash.startsWith('#/catalog') || rangeOfAddress() === this.#range) return;
    this.#range = rangeOfAddress();
    this.#drawHead();
    this.#refresh();
  }

  #schedule(delay) {
    clearTimeout(this.#timer);
    if (this.#isPaused || document.hidden) return;
    this.#timer = setTimeout(() => this.#refresh({isLive: true}), delay);
  }

  async #refresh({isLive = false} = {}) {
    clearTimeout(this.#timer);
    this.#asked.abort();
    this.#asked = new AbortController();
    const {signal} = this.#asked;
    const isDue = !isLive || !this.searches.isShown || this.#rounds % ranges[this.#range] === 0;
    this.#rounds = isLive ? this.#rounds + 1 : 1;
    // What fails of the last two has failed above them too, and is told there.
    const [first, second] = await Promise.all([this.#ask(this.catalog, signal),
      ...(isDue ? [this.#ask(this.searches, signal), this.#ask(this.quality, signal), this.#askExperiment(signal)] : [null])]);
    if (signal.aborted) return;
    this.body.hidden = false;
    const retry = () => this.#refresh();
    this.catalog.fail(first, retry);
    // The same trouble is told once.
    this.searches.fail(first && first.status === second?.status && !this.catalog.isShown ? null : second, retry);
    this.#tell((this.catalog.isShown && first) || (this.searches.isShown && second));
    if (this.catalog.isShown || this.searches.isShown) this.#schedule(interval);
  }

  /** What went wrong; null: nothing, or nobody waits for it any more. */
  async #ask(source, signal) {
    try {
      const answer = await call(source.path(), {signal});
      if (signal.aborted) return null;
      source.show(answer);
      this.#time = Date.now();
      this.#drawHead();
      return null;
    } catch (error) {
      if (isAbort(error) || signal.aborted) return null;
      if (!('status' in error)) throw error;
      return error;
    }
  }

  /** Of the one that runs. */
  async #askExperiment(signal) {
    try {
      const {experiments} = await call('/api/v1/experiments', {signal});
      const running = experiments.find((one) => one.state === 'running');
      const report = running ? await call(`/api/v1/experiments/${encodeURIComponent(running.name)}`, {signal}) : null;
      this.trial.element.hidden = !report;
      if (report) this.trial.show(report);
    } catch (error) {
      if (!isAbort(error) && !('status' in error)) throw error;
    }
  }

  #tell(error) {
    const text = error ? t('notRefreshed', {reason: explain(error)[0], time: clockSeconds(this.#time)}) : '';
    if (this.trouble.textContent !== text) this.trouble.textContent = text;
    if (!this.#time) this.status.textContent = '';
  }
}

function elementsOf(parts) {
  return Object.fromEntries(Object.entries(parts).map(([name, {element}]) => [name, element]));
}

function noSearches() {
  return el('div', {class: 'notice', id: 'no-searches'},
    el('h2', {}, t('noSearches')),
    el('p', {}, t('noSearchesHelp')),
    command(`curl ${location.origin}/api/v1/pgvector/search -H 'Content-Type: application/json' -d '{"query": "notebook"}'`),
    el('p', {}, el('a', {href: '#/search'}, t('goSearch'))));
}

customElements.define('decant-catalog', CatalogView);
