// Two strategies side by side: what each finds, in what time, and which products moved.

import {isAbort} from './api.js';
import {el, replace} from './dom.js';
import {failure} from './notice.js';
import {similarityBar} from './product.js';
import {movements, strategies} from './search-state.js';
import {t} from './search-text.js';
import {milliseconds, money} from './text.js';

/** `ask(strategy)`: an answer; `choose(part)` of the search's state. fill() ends when both sides have theirs. */
export function compareView(state, {ask, choose}) {
  const left = state.strategy || 'pgvector_primary';
  const right = state.other || (left === 'fusion' ? 'keyword' : 'fusion');
  const sides = [side(t('left'), left, (strategy) => choose({strategy})), side(t('right'), right, (other) => choose({other}))];
  const element = el('div', {class: 'compare'}, sides.map(({column}) => column));

  async function fill() {
    const answers = await Promise.all(sides.map(async (one) => {
      try {
        return await ask(one.strategy);
      } catch (error) {
        if (isAbort(error)) throw error;
        replace(one.body, failure(error, () => choose({})));
        return null;
      }
    }));
    const lists = answers.map((answer) => answer?.results ?? null);
    sides.forEach((one, place) => {
      if (answers[place]) drawSide(one, answers[place], lists[1 - place]);
    });
    return answers;
  }

  return {element, fill};
}

function side(label, strategy, onChoice) {
  const select = el('select', {onchange: () => onChoice(select.value)},
    strategies.map((name) => el('option', {value: name, selected: name === strategy}, name)));
  const body = el('div', {class: 'side'}, el('p', {class: 'small'}, t('asking')));
  return {strategy, body, column: el('section', {'aria-label': `${label}: ${strategy}`}, el('label', {class: 'field'}, el('span', {}, label), select), body)};
}

function drawSide({body}, answer, others) {
  const {results, metadata} = answer;
  const moved = others ? movements(others, results) : [];
  const shared = moved.filter((places) => places !== null).length;
  replace(body,
    el('p', {class: 'status', role: 'status'}, [t('found', {n: results.length}), milliseconds(metadata.search_duration_ms), t('by', {leg: metadata.strategy_used})].join(' · ')),
    others ? el('p', {class: 'small'}, t('together', {n: results.length, same: shared})) : null,
    results.length ? el('ol', {}, results.map((product, place) => row(product, others ? moved[place] : undefined))) : el('p', {}, t('noneHere')));
}

function row(product, places) {
  return el('li', {},
    el('div', {class: 'line'}, el('span', {class: 'name'}, product.name), movement(places)),
    el('div', {class: 'line'}, el('span', {class: 'facts'}, [product.brand, money(product.price)].filter(Boolean).join(' · ')), similarityBar(product.similarity_score)));
}

function movement(places) {
  if (places === undefined) return null;
  if (places === null) return el('span', {class: 'moved only'}, t('only'));
  if (places === 0) return el('span', {class: 'moved'}, el('span', {'aria-hidden': 'true'}, '='), el('span', {class: 'unseen'}, t('same')));
  const isUp = places > 0;
  return el('span', {class: `moved ${isUp ? 'up' : 'down'}`},
    el('span', {'aria-hidden': 'true'}, `${isUp ? '▲' : '▼'} ${Math.abs(places)}`),
    el('span', {class: 'unseen'}, t(isUp ? 'up' : 'down', {n: Math.abs(places)})));
}
