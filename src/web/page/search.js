// <decant-search>: answers while typing, with facets, what was understood, and products like another.

import {call, isAbort, remaining, runOf} from './api.js';
import {tellChoice} from './choice.js';
import {compareView} from './compare.js';
import {debounced, el, icon, replace} from './dom.js';
import {active, filterPanel, noFilters} from './filters.js';
import {failure} from './notice.js';
import {productCard} from './product.js';
import {t} from './search-text.js';
import {orders, readState, requestOf, sorted, strategies, writeState} from './search-state.js';
import {milliseconds, money, percent} from './text.js';

const pageSize = 24;
const mostProducts = 96;
const mostKept = 40;
const recentName = 'decant.recent';
const wide = matchMedia('(min-width: 60rem)');

/** Who types pauses so long before an answer is asked for; longer where the minute's requests run out. */
const typingPause = () => (remaining !== null && remaining < 30 ? 1000 : 90);

class SearchView extends HTMLElement {
  #state = readState();
  #asked = new AbortController();
  #kept = new Map();
  #products = [];
  #answer = null;
  #leave = new AbortController();
  #type = debounced(() => this.#search({isStep: false}), typingPause);

  connectedCallback() {
    this.#build();
    const {signal} = this.#leave;
    addEventListener('hashchange', () => this.#follow(), {signal});
    wide.addEventListener('change', () => this.#fold(), {signal});
    this.#fold();
    this.#search({isStep: false});
    if (!this.#state.similar && wide.matches) this.input.focus({preventScroll: true});
  }

  disconnectedCallback() {
    this.#type.cancel();
    this.#asked.abort();
    this.#leave.abort();
  }

  #build() {
    this.input = el('input', {
      type: 'search', id: 'query', name: 'q', autocomplete: 'off', spellcheck: 'false', enterkeyhint: 'search',
      maxlength: 5000, placeholder: t('placeholder'), value: this.#state.q,
      oninput: () => this.#typed(),
    });
    this.chips = el('div', {class: 'chips'});
    this.status = el('p', {class: 'status', role: 'status'});
    this.results = el('section', {class: 'results', 'aria-label': t('results')});
    this.more = el('div', {class: 'more'});
    this.filters = filterPanel({change: (change) => this.#change(change), type: (change) => this.#typed(change)});
    this.summary = el('summary', {}, t('filters'));
    this.aside = el('details', {class: 'filters'}, this.summary, this.filters.element);
    this.strategy = this.#select(t('strategy'), strategies.map((name) => [name, name]), (strategy) => this.#change({strategy}), [['', t('standard')]]);
    this.sort = this.#select(t('sort'), orders.map((name) => [name, t(`sort_${name}`)]), (sort) => this.#change({sort: sort === 'relevance' ? '' : sort}));
    this.compare = el('button', {type: 'button', class: 'quiet', onclick: () => this.#change({compare: !this.#state.compare})}, icon('compare'), t('compare'));
    replace(this,
      el('h1', {class: 'unseen'}, t('title')),
      el('form', {class: 'ask', role: 'search', onsubmit: (event) => this.#submit(event)},
        el('label', {for: 'query', class: 'unseen'}, t('placeholder')),
        this.input,
        el('button', {type: 'submit', class: 'primary', 'aria-label': t('search')}, icon('search'), el('span', {}, t('search')))),
      el('div', {class: 'tools'}, this.strategy.element, this.sort.element, this.compare),
      el('div', {class: 'layout'}, this.aside,
        el('div', {class: 'answers'}, this.chips, this.status, this.results, this.more)));
  }

  #select(label, values, onChoice, before = []) {
    const select = el('select', {onchange: () => onChoice(select.value)},
      [...before, ...values].map(([value, text]) => el('option', {value}, text)));
    return {element: el('label', {class: 'field'}, el('span', {}, label), select), select};
  }

  #fold() {
    this.aside.open = wide.matches;
  }

  /** The address was changed by the browser's buttons or by a link. */
  #follow() {
    if (!location.hash.startsWith('#/search') && location.hash !== '') return;
    this.#state = readState();
    this.input.value = this.#state.q;
    this.#search({isStep: false});
  }

  #typed(change = {}) {
    Object.assign(this.#state, change, {q: this.input.value, similar: ''});
    if (!Object.keys(change).length) this.#state.ignore = [];
    this.#type();
  }

  #submit(event) {
    event.preventDefault();
    Object.assign(this.#state, {q: this.input.value, similar: '', ignore: []});
    this.#search({isStep: true});
    remember(this.#state.q.trim());
  }

  #change(change) {
    Object.assign(this.#state, change);
    this.#search({isStep: true});
  }

  async #search({isStep}) {
    this.#type.cancel();
    this.#asked.abort();
    this.#asked = new AbortController();
    const {signal} = this.#asked;
    const state = {...this.#state};
    writeState(state, isStep);
    this.#drawTools(state);
    this.results.setAttribute('aria-busy', 'true');
    try {
      if (state.similar) await this.#showSimilar(state, signal);
      else if (!state.q.trim()) this.#welcome();
      else if (state.compare) await this.#showCompared(state, signal);
      else await this.#showFound(state, signal);
    } catch (error) {
      if (isAbort(error) || signal.aborted) return;
      this.#fail(error);
    }
    this.results.removeAttribute('aria-busy');
  }

  #drawTools(state) {
    this.strategy.select.value = state.strategy;
    this.sort.select.value = state.sort || 'relevance';
    this.strategy.element.hidden = state.compare;
    this.sort.element.hidden = state.compare;
    this.compare.setAttribute('aria-pressed', String(state.compare));
    this.filters.show(state, this.#answer?.facets ?? null);
    const filters = active(state);
    this.summary.textContent = filters ? `${t('filters')} (${filters})` : t('filters');
  }

  #fail(error) {
    if (!(error instanceof Error && 'status' in error)) throw error;
    this.status.textContent = '';
    replace(this.chips);
    replace(this.more);
    replace(this.results, error.status === 409
      ? failure(error, () => this.#change({strategy: ''}), t('otherStrategy'))
      : failure(error, () => this.#search({isStep: false})));
  }

  #welcome() {
    this.#answer = null;
    this.filters.show(this.#state, null);
    this.status.textContent = '';
    replace(this.chips);
    replace(this.more);
    const searches = recent();
    replace(this.results, el('div', {class: 'notice'},
      el('h2', {}, t('welcome')),
      el('p', {}, t('welcomeHelp')),
      el('ul', {class: 'hints'}, ['hintPrice', 'hintStock', 'hintWords'].map((hint) => el('li', {}, t(hint)))),
      searches.length ? [el('h3', {}, t('recent')), el('p', {class: 'row'}, searches.map((text) =>
        el('button', {type: 'button', onclick: () => this.#ask(text)}, text)))] : null));
  }

  #ask(text) {
    this.input.value = text;
    this.#change({q: text, ignore: [], similar: ''});
    this.input.focus();
  }

  /** An answer that was had a moment ago need not be asked for again. */
  async #post(body, signal) {
    const name = JSON.stringify(body);
    const kept = this.#kept.get(name);
    if (kept && Date.now() - kept.time < 60_000) return kept.answer;
    const answer = await call('/api/v1/pgvector/search', {method: 'POST', body, signal});
    this.#kept.set(name, {answer, time: Date.now()});
    if (this.#kept.size > mostKept) this.#kept.delete(this.#kept.keys().next().value);
    return answer;
  }

  async #showFound(state, signal) {
    const answer = await this.#post(requestOf(state), signal);
    if (signal.aborted) return;
    this.#answer = answer;
    this.#products = productsOf(answer);
    this.filters.show(state, answer.facets);
    this.#drawChips(answer.metadata.understood);
    if (!answer.results.length) return this.#showNothing(answer);
    this.#tell(answer.metadata);
    this.#drawProducts();
    this.#offerMore(answer.results.length === pageSize ? 2 : 0);
  }

  #tell(metadata) {
    const parts = [
      t('found', {n: this.#products.length}),
      milliseconds(metadata.search_duration_ms),
      t('by', {leg: metadata.strategy_used}),
    ];
    this.status.textContent = parts.join(' · ');
    if (metadata.degraded) {
      this.status.append(el('span', {class: 'warning'}, t('degraded', {reason: metadata.reason ?? ''})));
    }
  }

  #drawProducts() {
    replace(this.results, sorted(this.#products, this.#state.sort).map((product) => this.#card(product)));
  }

  #card(product) {
    return productCard(product, {level: 2, onSimilar: () => {
      tellChoice(product.run, product);
      this.#change({similar: product.product_id});
    }});
  }

  #offerMore(page) {
    if (!page || this.#products.length >= mostProducts) return replace(this.more);
    const button = el('button', {type: 'button', onclick: async () => {
      button.disabled = true;
      const {signal} = this.#asked;
      try {
        const next = await this.#post(requestOf(this.#state, {page}), signal);
        if (signal.aborted) return;
        const first = next.results[0];
        this.#products = [...this.#products, ...productsOf(next)];
        this.#tell(this.#answer.metadata);
        this.#drawProducts();
        this.#offerMore(next.results.length === pageSize ? page + 1 : 0);
        if (first) this.results.querySelector(`[data-product="${first.product_id}"] button`)?.focus();
      } catch (error) {
        if (!isAbort(error)) replace(this.more, failure(error, () => this.#offerMore(page)));
      }
    }}, t('more'));
    replace(this.more, button);
  }

  #drawChips(understood) {
    const chips = understood.meanings.map((meaning) => {
      const text = meaningText(meaning);
      return el('li', {class: 'chip'}, el('span', {}, text),
        el('button', {type: 'button', 'aria-label': t('remove', {name: text}), onclick: () => this.#ignore(meaning.kind)}, icon('close')));
    });
    const ignored = this.#state.ignore.map((kind) => el('li', {class: 'chip off'},
      el('button', {type: 'button', onclick: () => this.#heed(kind)}, t('ignored', {name: t(`kind_${kind}`)}))));
    const corrections = understood.corrections.map(({written, taken_for: meant}) =>
      el('li', {class: 'chip plain'}, t('corrected', {written, meant})));
    const all = [...chips, ...ignored, ...corrections];
    replace(this.chips,
      all.length ? [el('span', {class: 'small', id: 'understood'}, t('understood')), el('ul', {'aria-labelledby': 'understood'}, all)] : null,
      understood.drops_names ? el('p', {class: 'small'}, t('dropsNames')) : null);
  }

  #ignore(kind) {
    this.#change({ignore: [...this.#state.ignore, kind]});
    this.input.focus();
  }

  #heed(kind) {
    this.#change({ignore: this.#state.ignore.filter((other) => other !== kind)});
    this.input.focus();
  }

  #showNothing(answer) {
    const {diagnosis, similarity_threshold: threshold} = answer.metadata;
    this.status.textContent = t('found', {n: 0});
    replace(this.more);
    const reasons = [];
    if (diagnosis?.products === 0) reasons.push(t('noProducts'));
    else if (diagnosis?.passing === 0) reasons.push(t('nonePasses'));
    if (diagnosis?.best_similarity !== null && diagnosis?.best_similarity !== undefined && threshold !== null) {
      reasons.push(t('tooFar', {best: percent(diagnosis.best_similarity, 1), threshold: percent(threshold, 1)}));
    }
    if (diagnosis?.without_embedding > 0) reasons.push(t('noEmbedding', {n: diagnosis.without_embedding}));
    const state = this.#state;
    const kinds = answer.metadata.understood.meanings.map(({kind}) => kind);
    replace(this.results, el('div', {class: 'notice'},
      el('h2', {}, t('nothing', {query: state.q.trim()})),
      reasons.length ? el('ul', {class: 'hints'}, reasons.map((reason) => el('li', {}, reason))) : null,
      el('p', {class: 'row'},
        active(state) ? el('button', {type: 'button', onclick: () => this.#change(noFilters())}, t('clearFilters')) : null,
        kinds.length ? el('button', {type: 'button', onclick: () => this.#change({ignore: [...new Set([...state.ignore, ...kinds])]})}, t('literally')) : null,
        state.strategy !== 'fusion' ? el('button', {type: 'button', onclick: () => this.#change({strategy: 'fusion'})}, t('tryFusion')) : null)));
  }

  async #showSimilar(state, signal) {
    const answer = await call(`/api/v1/pgvector/similar/${state.similar}?limit=${pageSize}&similarity_threshold=0.3${state.stock ? '&in_stock_only=true' : ''}`, {signal});
    if (signal.aborted) return;
    const name = answer.reference_product_name;
    this.#products = answer.similar_products;
    replace(this.more);
    replace(this.chips, el('ul', {'aria-label': t('similarTo', {name})}, el('li', {class: 'chip'}, el('span', {}, t('similarTo', {name})),
      el('button', {type: 'button', 'aria-label': t('endSimilar'), onclick: () => {
        this.#change({similar: ''});
        this.input.focus();
      }}, icon('close')))));
    this.status.textContent = [t('found', {n: this.#products.length}), milliseconds(answer.metadata.search_duration_ms)].join(' · ');
    if (this.#products.length) this.#drawProducts();
    else replace(this.results, el('div', {class: 'notice'}, el('h2', {}, t('noSimilar', {name})), el('p', {}, t('noSimilarHelp'))));
    this.chips.querySelector('button').focus({preventScroll: true});
    scrollTo({top: 0});
  }

  async #showCompared(state, signal) {
    replace(this.more);
    replace(this.chips);
    this.status.textContent = '';
    const compared = compareView(state, {
      ask: (strategy) => this.#post(requestOf(state, {strategy, limit: 20}), signal),
      choose: (change) => this.#change(change),
    });
    replace(this.results, compared.element);
    const answers = await compared.fill();
    if (signal.aborted) return;
    const whole = answers.find((answer) => answer?.facets);
    this.#answer = whole ?? null;
    if (!whole) return;
    this.filters.show(state, whole.facets);
    this.#drawChips(whole.metadata.understood);
  }
}

/** With the run of their answer, where an experiment wants to know which is chosen. */
function productsOf(answer) {
  const run = answer.metadata.experiment ? runOf(answer) : '';
  return answer.results.map((product) => ({...product, run}));
}

function meaningText({kind, value}) {
  if (kind === 'min_price' || kind === 'max_price') return t(`value_${kind}`, {price: money(Number(value))});
  if (kind === 'price_wish') return t(value === 'cheap' ? 'value_cheap' : 'value_expensive');
  if (['stock', 'sale', 'featured'].includes(kind)) return t(`value_${kind}`);
  return `${t(`kind_${kind}`)}: ${value}`;
}

function recent() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(recentName) ?? '[]');
    return Array.isArray(kept) ? kept.filter((text) => typeof text === 'string').slice(0, 5) : [];
  } catch {
    return [];
  }
}

function remember(text) {
  if (!text) return;
  sessionStorage.setItem(recentName, JSON.stringify([text, ...recent().filter((other) => other !== text)].slice(0, 5)));
}

customElements.define('decant-search', SearchView);
