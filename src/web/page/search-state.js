// What is searched for, as the page's address tells it: a search can be kept, shared and gone back to.

import {visitorId} from './api.js';

export const strategies = ['pgvector_primary', 'fusion', 'hybrid', 'keyword', 'pgvector', 'chroma_primary', 'chroma'];
export const meaningKinds = ['category', 'subcategory', 'brand', 'min_price', 'max_price', 'stock', 'sale', 'featured', 'price_wish'];
export const orders = ['relevance', 'price_up', 'price_down', 'name', 'stock'];

const fields = ['q', 'category', 'categoryName', 'brand', 'brandName', 'min', 'max', 'strategy', 'other', 'sort', 'similar'];

export function readState() {
  const query = new URLSearchParams(location.hash.split('?')[1] ?? '');
  const state = {stock: query.get('stock') === '1', compare: query.get('compare') === '1', ignore: []};
  for (const name of fields) state[name] = query.get(name) ?? '';
  state.ignore = (query.get('ignore') ?? '').split(',').filter((kind) => meaningKinds.includes(kind));
  if (!strategies.includes(state.strategy)) state.strategy = '';
  if (!strategies.includes(state.other)) state.other = '';
  if (!orders.includes(state.sort)) state.sort = '';
  if (!/^[0-9a-f-]{36}$/i.test(state.similar)) state.similar = '';
  return state;
}

function addressOf(state) {
  const query = new URLSearchParams();
  for (const name of fields) if (state[name]) query.set(name, state[name]);
  if (state.stock) query.set('stock', '1');
  if (state.compare) query.set('compare', '1');
  if (state.ignore.length) query.set('ignore', state.ignore.join(','));
  const text = query.toString();
  return text ? `#/search?${text}` : '#/search';
}

/** `isStep`: something that the browser's back button goes back over; typing is not. */
export function writeState(state, isStep) {
  const address = addressOf(state);
  if (address === location.hash) return;
  if (isStep) history.pushState(null, '', address);
  else history.replaceState(null, '', address);
}

/** The body of the search. */
export function requestOf(state, {strategy = state.strategy, page = 1, limit = 24} = {}) {
  const filters = {};
  if (state.category) filters.category_id = state.category;
  if (state.brand) filters.brand_id = state.brand;
  const bound = (text) => (text !== '' && Number(text) >= 0 ? Number(text) : null);
  if (bound(state.min) !== null) filters.min_price = bound(state.min);
  if (bound(state.max) !== null) filters.max_price = bound(state.max);
  if (state.stock) filters.in_stock_only = true;
  const body = {
    query: state.q.trim().slice(0, 5000), limit, page, filters, facets: page === 1, user_id: visitorId(), session_id: visitorId(),
  };
  if (strategy) body.strategy = strategy;
  if (state.ignore.length) body.ignore = state.ignore;
  return body;
}

export function sorted(products, order) {
  const by = {
    price_up: (a, b) => a.price - b.price,
    price_down: (a, b) => b.price - a.price,
    name: (a, b) => a.name.localeCompare(b.name),
    stock: (a, b) => b.stock - a.stock,
  }[order];
  return by ? [...products].sort(by) : products;
}

/** Of each product of `right` how many places it moved against `left`: positive is up; null: it is not in `left`. */
export function movements(left, right) {
  const places = new Map(left.map((product, place) => [product.product_id, place]));
  return right.map((product, place) => {
    const before = places.get(product.product_id);
    return before === undefined ? null : before - place;
  });
}
