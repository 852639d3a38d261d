// What the charts show of GET /pgvector/metrics?series=true.

import {t} from './catalog-text.js';
import {clock, milliseconds, number, percent, shortTime} from './text.js';

export const charts = [
  {id: 'searches', title: 'searchesPerMinute', of: searchesPerMinute},
  {id: 'latency', title: 'latency', of: latency},
  {id: 'similarity', title: 'similarity', of: similarity},
];

function overTime({series, time_range: range}) {
  const keys = series.buckets.map(({start}) => start);
  const isShort = range === '1h' || range === '24h';
  return {key: t('time'), keys, labels: keys.map(isShort ? clock : shortTime), rowNames: keys.map(shortTime)};
}

function searchesPerMinute(metrics) {
  const {buckets, bucket_seconds: seconds} = metrics.series;
  const rate = (count) => buckets.map((bucket) => Math.round(count(bucket) / seconds * 60 * 1000) / 1000);
  const failed = (bucket) => Math.round(bucket.error_rate * bucket.total_searches);
  return {
    ...overTime(metrics),
    type: 'bar',
    format: (value) => number(value, value < 10 ? 2 : 0),
    series: [
      {name: t('withResults'), colour: '--accent', values: rate((bucket) => bucket.total_searches - bucket.no_results_count - failed(bucket))},
      {name: t('withoutResults'), colour: '--chart-warn', values: rate((bucket) => bucket.no_results_count)},
      {name: t('failed'), colour: '--chart-bad', values: rate(failed)},
    ],
  };
}

function latency(metrics) {
  const of = (name) => metrics.series.buckets.map((bucket) => bucket[name]);
  return {
    ...overTime(metrics),
    type: 'line',
    format: milliseconds,
    series: [
      {name: 'p50', colour: '--accent', values: of('p50')},
      {name: 'p95', colour: '--chart-2', dash: [6, 3], values: of('p95')},
      {name: 'p99', colour: '--chart-3', dash: [2, 2], values: of('p99')},
    ],
  };
}

function similarity({series}) {
  const parts = series.best_similarity;
  const names = parts.map(({from, to}) => `${percent(from)} – ${percent(to)}`);
  return {
    key: t('bestSimilarity'),
    keys: parts.map(({from, to}) => `${from.toFixed(2)}-${to.toFixed(2)}`),
    labels: parts.map(({from}) => percent(from)),
    rowNames: names,
    type: 'bar',
    format: (value) => (Number.isInteger(value) ? number(value) : ''),
    series: [{name: t('searches'), colour: '--accent', values: parts.map((part) => part.searches)}],
  };
}
