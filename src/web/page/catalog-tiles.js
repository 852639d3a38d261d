// The figures at a glance.

import {t} from './catalog-text.js';
import {el} from './dom.js';
import {milliseconds, number, percent} from './text.js';

const spans = {'1h': 60, '24h': 1440, '7d': 10_080, '30d': 43_200};

/** Of each: title, and of an answer [figure, detail, level]. */
const catalogTiles = [
  ['coverage', ({embeddings: e}) => [
    // Rounded down: 100 % is all of them.
    e.total_products ? percent(Math.floor(e.coverage_percentage * 10) / 1000, 1) : '–',
    t('coverageOf', {with: e.products_with_embeddings, total: e.total_products}),
    e.coverage_percentage < 100 ? 'warn' : 'good']],
  ['missing', ({embeddings: e}) => [number(e.products_without_embeddings), t('missingDetail'), e.products_without_embeddings ? 'warn' : '']],
  ['stale', ({embeddings: e}) => [number(e.stale_embeddings_count), t('staleDetail'), e.stale_embeddings_count ? 'warn' : '']],
  ['queue', ({queue: q}) => [number(q.ready + q.delayed + q.leased), t('queueDetail', q), '']],
  ['given', ({queue: q}) => [number(q.dead_letters), t('givenDetail'), q.dead_letters ? 'bad' : '']],
];

const searchTiles = [
  ['searches', ({search_metrics: s, time_range: range}) => [number(s.total_searches), t('perMinute', {n: number(s.total_searches / spans[range], 2)}), '']],
  ['p95', ({search_metrics: s}) => [milliseconds(s.p95), t('latencyDetail', {p50: milliseconds(s.p50), p99: milliseconds(s.p99)}), '']],
  ['withoutResults', ({search_metrics: s, quality_metrics: q}) => [number(q.no_results_count), t('shareOfAll', {share: percent(s.total_searches ? q.no_results_count / s.total_searches : 0, 1)}), '']],
  ['failed', ({search_metrics: s}) => [percent(s.error_rate, 1), t('degraded', {n: s.degraded_searches}), s.error_rate ? 'bad' : '']],
  ['similarityMean', ({quality_metrics: q}) => [q.average_similarity_score === null ? '–' : percent(q.average_similarity_score), t('lowQuality', {n: q.low_quality_searches}), '']],
];

/** {element, show(answer)}; a part that is not counted yet says so. */
function tiles(name, all) {
  const drawn = all.map(([title, of]) => {
    const figure = el('span', {class: 'figure'});
    const detail = el('span', {class: 'small'});
    return {of, figure, detail, element: el('div', {class: 'tile'}, el('dt', {}, t(title)), el('dd', {}, figure, detail))};
  });
  const show = (answer) => drawn.forEach(({of, figure, detail, element}) => {
    const isCounted = answer.embeddings !== null && answer.queue !== null;
    const [value, about, level] = isCounted ? of(answer) : ['–', t('counting'), ''];
    if (figure.textContent !== value) figure.textContent = value;
    if (detail.textContent !== about) detail.textContent = about;
    element.dataset.level = level;
  });
  return {element: el('dl', {class: 'tiles', id: name, 'aria-label': t('summary')}, drawn.map(({element}) => element)), show};
}

export const tilesOfCatalog = () => tiles('catalog-tiles', catalogTiles);
export const tilesOfSearches = () => tiles('search-tiles', searchTiles);
