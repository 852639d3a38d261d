// Tables of figures that stay where they are while their rows change.

import {el, replace} from './dom.js';

/**
 * dataTable('Jobs', ['Job', {title: 'Products', number: true}, {title: 'Reason', wide: true}]) gives
 * {element, show(rows)}; a row is a list of texts and elements. A table that is wider than its place scrolls by itself,
 * also by the keyboard.
 */
export function dataTable(name, columns) {
  const all = columns.map((column) => (typeof column === 'string' ? {title: column} : column));
  const kinds = all.map(({number, wide}) => (number ? 'number' : wide ? 'wide' : null));
  const body = el('tbody');
  const element = el('div', {class: 'scroll', role: 'group', 'aria-label': name},
    el('table', {},
      el('caption', {class: 'unseen'}, name),
      el('thead', {}, el('tr', {}, all.map(({title}, i) => el('th', {scope: 'col', class: kinds[i]}, title)))),
      body));
  const observer = new ResizeObserver(() => {
    const scrolls = element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight;
    if (scrolls) element.tabIndex = 0;
    else element.removeAttribute('tabindex');
  });
  observer.observe(element);
  observer.observe(body);
  const show = (rows) => replace(body, rows.map((row) => el('tr', {}, row.map((cell, i) =>
    el(i === 0 ? 'th' : 'td', {scope: i === 0 ? 'row' : null, class: kinds[i]}, cell)))));
  return {element, show};
}
