// A product as a card. The chat shows the same.

import {el, icon} from './dom.js';
import {money, percent, texts} from './text.js';

const t = texts({
  en: {
    inStock: {one: '{n} in stock', other: '{n} in stock'},
    soldOut: 'Sold out',
    similarity: 'Similarity',
    byWords: 'found by its words',
    similar: 'Similar',
    similarTo: 'Similar products to {name}',
  },
  es: {
    inStock: {one: '{n} en stock', other: '{n} en stock'},
    soldOut: 'Sin stock',
    similarity: 'Similitud',
    byWords: 'hallado por sus palabras',
    similar: 'Similares',
    similarTo: 'Productos similares a {name}',
  },
});

/** Only what cannot run: an address of https, or a path of this server. */
function safeImage(url) {
  try {
    const whole = new URL(url, location.href);
    return whole.protocol === 'https:' || whole.origin === location.origin ? whole.href : null;
  } catch {
    return null;
  }
}

/** A bar from 0 to 1; null where no vectors were compared. */
export function similarityBar(similarity) {
  if (similarity === null || similarity === undefined) return el('p', {class: 'similarity small'}, t('byWords'));
  const share = Math.min(1, Math.max(0, similarity));
  const fill = el('span', {class: 'fill'});
  fill.style.inlineSize = `${share * 100}%`;
  return el('div', {class: 'similarity'},
    el('span', {class: 'bar', role: 'meter', 'aria-label': t('similarity'), 'aria-valuemin': 0, 'aria-valuemax': 1, 'aria-valuenow': share.toFixed(3), 'aria-valuetext': percent(share)}, fill),
    el('span', {class: 'figure', title: t('similarity')}, percent(share)));
}

export function stockLabel(stock) {
  return stock > 0 ? el('span', {class: 'stock'}, t('inStock', {n: stock})) : el('span', {class: 'stock none'}, t('soldOut'));
}

/** `onSimilar(product)`: null for a card without the button. `level`: of its heading. */
export function productCard(product, {onSimilar = null, level = 3} = {}) {
  const image = product.image_url ? safeImage(product.image_url) : null;
  const facts = [product.brand, product.category_display_name, product.model].filter(Boolean).join(' · ');
  return el('article', {class: 'card', 'data-product': product.product_id},
    image ? el('img', {src: image, alt: '', loading: 'lazy', decoding: 'async', referrerpolicy: 'no-referrer'}) : null,
    el(`h${level}`, {}, product.name),
    facts ? el('p', {class: 'facts'}, facts) : null,
    product.description ? el('p', {class: 'description'}, product.description) : null,
    el('p', {class: 'offer'}, el('span', {class: 'price'}, money(product.price)), stockLabel(product.stock)),
    similarityBar(product.similarity_score),
    onSimilar ? el('button', {type: 'button', class: 'quiet', 'aria-label': t('similarTo', {name: product.name}), onclick: () => onSimilar(product)}, icon('similar'), t('similar')) : null);
}
