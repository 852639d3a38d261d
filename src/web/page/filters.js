// The filters beside the results: price range, stock, and facets to click.

import {el, replace} from './dom.js';
import {t} from './search-text.js';
import {money, number} from './text.js';

const shownValues = 8;

/** `change(part)` of the search's state: a step; `type(part)`: while somebody types. */
export function filterPanel({change, type}) {
  const priceInput = (name, label) => el('input', {
    type: 'number', min: 0, step: 'any', inputmode: 'decimal', 'aria-label': `${t('priceRange')}: ${label}`, placeholder: label,
    oninput: (event) => type({[name]: event.target.value}),
  });
  const min = priceInput('min', t('from'));
  const max = priceInput('max', t('to'));
  const stock = el('input', {type: 'checkbox', onchange: () => change({stock: stock.checked})});
  const facets = el('div', {class: 'facets'});
  const clear = el('button', {type: 'button', class: 'quiet', hidden: true, onclick: () => {
    change(noFilters());
    stock.focus();
  }}, t('clearFilters'));
  const element = el('div', {class: 'filter-list'},
    el('label', {class: 'check'}, stock, t('inStockOnly')),
    el('fieldset', {}, el('legend', {}, t('priceRange')), el('div', {class: 'range'}, min, el('span', {'aria-hidden': 'true'}, '–'), max)),
    facets, clear);
  let drawn = null;

  function show(state, found) {
    stock.checked = state.stock;
    for (const [input, value] of [[min, state.min], [max, state.max]]) if (document.activeElement !== input) input.value = value;
    clear.hidden = active(state) === 0;
    const picture = JSON.stringify([found, state.category, state.brand, state.min, state.max]);
    if (picture === drawn) return;
    drawn = picture;
    const focused = facets.contains(document.activeElement) ? document.activeElement.dataset.value : null;
    replace(facets, facetGroups(state, found));
    if (focused) facets.querySelector(`[data-value="${CSS.escape(focused)}"]`)?.focus();
  }

  function facetGroups(state, found) {
    return [
      group('category', named(found?.category, state.category, state.categoryName), (value) => change(value ? {category: value.id, categoryName: value.name} : {category: '', categoryName: ''})),
      group('brand', named(found?.brand, state.brand, state.brandName), (value) => change(value ? {brand: value.id, brandName: value.name} : {brand: '', brandName: ''})),
      group('priceRange', priceRanges(found?.price, state), (value) => change(value ? {min: value.min, max: value.max} : {min: '', max: ''})),
    ];
  }

  return {element, show};
}

/** How many filters hold. */
export function active(state) {
  return [state.category, state.brand, state.min, state.max, state.stock].filter(Boolean).length;
}

export function noFilters() {
  return {category: '', categoryName: '', brand: '', brandName: '', min: '', max: '', stock: false};
}

/** The chosen value stays to be seen, also where nothing passes with it. */
function named(values, chosen, chosenName) {
  const all = (values ?? []).map((value) => ({...value, pressed: value.id === chosen}));
  if (chosen && !all.some((value) => value.pressed)) all.unshift({id: chosen, name: chosenName || chosen, products: null, pressed: true});
  return all;
}

function priceRanges(ranges, state) {
  const text = (bound) => (bound === null ? '' : String(bound));
  const label = ({from, to}) => {
    if (from === null) return t('price_below', {to: money(to)});
    if (to === null) return t('price_above', {from: money(from)});
    return t('price_between', {from: money(from), to: money(to)});
  };
  return (ranges ?? []).filter(({from, to}) => from !== null || to !== null).map((range) => ({
    id: `${text(range.from)}-${text(range.to)}`, name: label(range), products: range.products, min: text(range.from), max: text(range.to),
    pressed: state.min === text(range.from) && state.max === text(range.to),
  }));
}

function group(name, values, choose) {
  if (!values.length) return null;
  const item = (value) => el('li', {}, el('button', {
    type: 'button', class: 'facet', 'aria-pressed': String(value.pressed), 'data-value': `${name}:${value.id}`,
    onclick: () => choose(value.pressed ? null : value),
  }, el('span', {class: 'name'}, value.name), value.products === null ? null : el('span', {class: 'count'}, number(value.products))));
  const rest = values.slice(shownValues);
  return el('section', {'aria-label': t('filtersOf', {name: t(name)})},
    el('h2', {}, t(name)),
    el('ul', {}, values.slice(0, shownValues).map(item)),
    rest.length ? el('details', {}, el('summary', {}, t('allValues', {n: rest.length})), el('ul', {}, rest.map(item))) : null);
}
