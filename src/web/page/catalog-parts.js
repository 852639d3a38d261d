// Small pieces of the view of the catalog.

import {el} from './dom.js';
import {dateTime, percent, shortTime} from './text.js';
import {t} from './catalog-text.js';

export const command = (text) => el('p', {class: 'command'}, el('code', {}, text));

/** level: good, warn, bad or plain. */
export const state = (text, level) => el('span', {class: `state ${level}`}, text);

/** The year stands where it is another one. */
export function when(time) {
  if (!time) return '–';
  const isThisYear = new Date(time).getFullYear() === new Date().getFullYear();
  return el('time', {datetime: time, title: dateTime(time)}, (isThisYear ? shortTime : dateTime)(time));
}

/** {element, show(done, total, more)}; `more` stands behind the figures. */
export function progressBar(name) {
  const fill = el('span', {class: 'fill'});
  const text = el('span', {class: 'small'});
  const track = el('span', {class: 'track', role: 'progressbar', 'aria-label': name, 'aria-valuemin': 0, 'aria-valuemax': 100}, fill);
  const show = (done, total, more = '') => {
    const share = total > 0 ? Math.min(1, done / total) : 1;
    fill.style.inlineSize = `${share * 100}%`;
    const parts = [t('someOf', {n: done, total}), percent(share)];
    text.textContent = [...parts, more].filter(Boolean).join(' · ');
    track.setAttribute('aria-valuenow', String(Math.round(share * 100)));
    track.setAttribute('aria-valuetext', parts.join(', '));
  };
  show(0, 1);
  return {element: el('span', {class: 'progress'}, track, text), show};
}
