// The sections of the view of the catalog that are tables.

import {command, progressBar, state, when} from './catalog-parts.js';
import {t} from './catalog-text.js';
import {dataTable} from './data-table.js';
import {el, replace} from './dom.js';
import {bytes, milliseconds, number, percent} from './text.js';

/**
 * A panel that is drawn anew only when what it shows has changed. `of` takes its part of an answer; `draw(part)` gives
 * the rows of the table and what stands below it: {rows, below}. Without rows the table is not shown.
 */
function section(id, title, {columns, of, draw, above = null}) {
  const table = dataTable(title, columns);
  const below = el('div', {class: 'below'});
  let last = '';
  const element = el('section', {class: 'panel', id, 'aria-labelledby': `${id}-title`},
    el('h2', {id: `${id}-title`}, title), above, table.element, below);
  const show = (answer) => {
    const part = of(answer);
    const text = JSON.stringify(part);
    if (text === last) return;
    last = text;
    const drawn = draw(part);
    table.element.hidden = drawn.rows.length === 0;
    table.show(drawn.rows);
    replace(below, drawn.below);
  };
  return {element, show};
}

const numeric = (title) => ({title: t(title), number: true});
const hint = (text, line) => [el('p', {}, text), command(line)];

export const models = () => section('models', t('models'), {
  columns: [{title: t('model'), wide: true}, numeric('products'), t('oldest'), t('newest')],
  of: ({embeddings, embedding_model: used}) => ({models: embeddings?.by_model ?? null, products: embeddings?.total_products, used}),
  draw: ({models: all, products, used}) => ({
    rows: (all ?? []).map((one) => [
      [one.embedding_model ?? t('unknownModel'), el('div', {class: 'small row'},
        one.embedding_dimensions === null ? null : t('dimensions', {n: one.embedding_dimensions}),
        one.embedding_model === used ? state(t('inUse'), 'good') : null)],
      number(one.products), when(one.oldest), when(one.newest)]),
    below: !all ? el('p', {class: 'small'}, t('counting'))
      : products === 0 ? hint(t('noProducts'), 'decant products load products.jsonl')
        : all.length === 0 ? hint(t('noModels'), 'decant migrate --from data/vector_db') : null,
  }),
});

const jobLevels = {pending: 'plain', running: 'warn', completed: 'good', failed: 'bad'};

export const jobs = (starter) => section('jobs', t('jobs'), {
  above: starter,
  columns: [t('job'), t('state'), t('progress'), numeric('errors'), t('begun')],
  of: ({batches}) => batches,
  draw: (batches) => ({
    rows: batches.map((job) => {
      const bar = progressBar(t('progressOf', {id: job.job_id}));
      bar.show(job.progress.current, job.progress.total);
      return [job.job_id, state(t(`job_${job.status}`), jobLevels[job.status]), bar.element, number(job.summary.errors), when(job.created_at)];
    }),
    below: batches.length ? null : hint(t('noJobs'), 'decant embed'),
  }),
});

export const indexes = () => section('indexes', t('indexes'), {
  columns: [t('index'), t('kind'), numeric('size'), t('state')],
  of: ({storage}) => storage,
  draw: ({indexes: all, builds, table_bytes: table, index_bytes: size}) => {
    const isBuilt = (name) => builds.some((build) => build.index === name);
    const broken = all.find((one) => !one.valid && !isBuilt(one.name));
    return {
      rows: all.map((one) => [one.name, `${one.method}, ${one.operator_class}`, bytes(one.bytes),
        one.valid ? state(t('valid'), 'good') : isBuilt(one.name) ? state(t('building'), 'warn') : state(t('invalid'), 'bad')]),
      below: [
        ...builds.map((build) => {
          const name = t('build', {name: build.index ?? t('buildUnnamed')});
          const bar = progressBar(name);
          bar.show(build.done, build.total || Math.max(1, build.done));
          return el('div', {}, el('p', {class: 'small'}, `${name}: ${build.phase}`), build.total ? bar.element : null);
        }),
        broken ? hint(t('invalidHelp'), `REINDEX INDEX CONCURRENTLY ${broken.name};`) : null,
        all.length === 0 && builds.length === 0 ? hint(t('noIndexes'), 'decant schema up') : null,
        el('p', {class: 'small'}, t('sizes', {table: bytes(table), indexes: bytes(size)})),
      ],
    };
  },
});

const runLevels = {running: 'warn', done: 'good', failed: 'bad', differs: 'bad'};

function verification({verification: check, recall}) {
  const found = !check ? el('span', {class: 'small'}, t('notVerified'))
    : check.equal ? state(t('equal', {n: check.compared}), 'good')
      : state(t('differs', {differences: check.differences, n: check.compared}), 'bad');
  return [found, recall === null ? null : el('span', {class: 'small'}, ` ${t('recall', {recall: number(recall, 4)})}`)];
}

export const migrations = () => section('migrations', t('migrations'), {
  columns: [t('run'), t('state'), {title: t('from'), wide: true}, t('into'), {title: t('records'), wide: true}, t('begun'), t('verification')],
  of: (answer) => answer.migrations,
  draw: (runs) => ({
    rows: runs.map((run) => [
      `${run.run} · ${run.command}`,
      state(t(`run_${run.state}`), runLevels[run.state] ?? 'plain'),
      [run.collection, el('div', {class: 'small'}, run.source)],
      run.table,
      [t('readWritten', run), el('div', {class: 'small'}, [
        run.unchanged ? t('unchanged', {n: run.unchanged}) : null,
        run.rejected ? t('rejected', {n: run.rejected}) : null].filter(Boolean).join(', '))],
      when(run.started_at),
      verification(run)]),
    below: runs.length ? null : hint(t('noMigrations'), 'decant migrate --from data/vector_db'),
  }),
});

const syncLevels = {running: 'warn', complete: 'good', incomplete: 'warn', stopped: 'warn', failed: 'bad',
  interrupted: 'warn'};

export const syncs = () => ({
  ...section('syncs', t('syncs'), {
    columns: [t('run'), t('state'), {title: t('items'), wide: true}, t('begun')],
    of: (answer) => answer.syncs,
    draw: (runs) => ({
      rows: runs.map((run) => [
        `${run.run} · ${run.source}`,
        state(t(`sync_${run.state}`), syncLevels[run.state] ?? 'plain'),
        [t('synced', run), el('div', {class: 'small'}, [
          run.deactivated ? t('deactivated', {n: run.deactivated}) : null,
          run.quarantined ? t('quarantined', {n: run.quarantined}) : null].filter(Boolean).join(', '))],
        when(run.started_at)]),
      below: runs.some((run) => run.quarantined) ? hint(t('quarantineHelp'), 'decant sync quarantine') : null,
    }),
  }),
  isFor: (answer) => answer.syncs.length > 0,
});

export const givenUp = () => section('given-up', t('given'), {
  columns: [{title: t('product'), wide: true}, {title: t('reason'), wide: true}, numeric('attempts'), t('last')],
  of: ({dead_letters: letters, queue}) => ({letters, total: queue?.dead_letters ?? letters.length}),
  draw: ({letters, total}) => ({
    rows: letters.map((one) => [one.name || t('goneProduct'), one.reason, number(one.attempts), when(one.failed_at)]),
    below: letters.length === 0 ? el('p', {class: 'small'}, t('noneGiven')) : [
      total > letters.length ? el('p', {class: 'small'}, t('moreGiven', {shown: letters.length, n: total})) : null,
      ...hint(t('retryHelp'), 'decant jobs retry')],
  }),
});

export const strategies = () => section('strategies', t('strategies'), {
  columns: [t('strategy'), numeric('searches'), {title: 'p50', number: true}, {title: 'p95', number: true}, numeric('withoutResults'), numeric('failed')],
  of: (metrics) => metrics.strategies,
  draw: (all) => ({
    rows: all.map((one) => [one.strategy === 'none' ? t('strategy_none') : one.strategy, number(one.total_searches),
      milliseconds(one.p50), milliseconds(one.p95), number(one.no_results_count), percent(one.error_rate, 1)]),
    below: null,
  }),
});

export const questions = () => section('questions', t('questions'), {
  columns: [{title: t('question'), wide: true}, numeric('searches'), t('last')],
  of: ({series}) => ({kept: series.keeps_questions, all: series.without_results}),
  draw: ({kept, all}) => ({
    rows: all.map((one) => [one.question, number(one.searches), when(one.last)]),
    below: !kept ? hint(t('notKept'), 'DECANT_KEEP_QUESTIONS=true decant serve')
      : all.length === 0 ? el('p', {class: 'small'}, t('noQuestions')) : null,
  }),
});

const figures = {response_time_p95_ms: milliseconds, feedback_score: (value) => number(value, 2)};
const targetLevels = {met: 'good', missed: 'bad', unknown: 'plain', no_target: 'plain'};
const trendLevels = {better: 'good', worse: 'warn', steady: 'plain'};

/** Of GET /api/v1/quality. */
export const quality = () => section('quality', t('quality'), {
  columns: [{title: t('metric'), wide: true}, numeric('value'), numeric('target'), t('state'), numeric('before'), t('trend')],
  of: ({metrics, missed, probed_at: probed, time_range: range}) => ({metrics, missed, probed, range}),
  draw: ({metrics, missed, probed, range}) => ({
    rows: metrics.map((one) => {
      const figure = figures[one.name] ?? ((share) => percent(share, 1));
      const shown = (value) => (value === null ? '–' : figure(value));
      return [t(`metric_${one.name}`), shown(one.value),
        one.target === null ? '–' : `${one.target_is === 'below' ? '<' : '≥'}\u00a0${figure(one.target)}`,
        state(t(`target_${one.state}`), targetLevels[one.state]), shown(one.before),
        one.trend === 'unknown' ? '–' : state(t(`trend_${one.trend}`), trendLevels[one.trend])];
    }),
    below: [
      missed ? hint(t('missedHelp'), `decant quality failed --range ${range}`) : null,
      el('p', {class: 'small'}, probed ? [`${t('probed')} `, when(probed)] : t('notProbed')),
    ],
  }),
});

/** Of the report of an experiment. */
export const experiment = () => section('experiment', t('experiment'), {
  columns: [{title: t('arm'), wide: true}, numeric('units'), numeric('searches'), numeric('similarity'), numeric('chosen'), {title: t('latency'), number: true}],
  of: (report) => report,
  draw: ({experiment: {name, mode, unit}, arms, conclusion}) => {
    const weights = arms.reduce((sum, one) => sum + one.weight, 0);
    return {
      rows: arms.map((one) => {
        const mean = (metric) => one.metrics.find((other) => other.metric === metric)?.mean?.value ?? null;
        const share = (value) => (value === null ? '–' : percent(value, 1));
        return [[one.arm, el('div', {class: 'small'}, percent(one.weight / weights, 1))], number(one.units), number(one.searches),
          share(mean('similarity')), share(mean('chosen')), milliseconds(mean('latency'))];
      }),
      below: [el('p', {}, `${name} (${mode}, ${unit}): ${conclusion}`), command(`decant ab report ${name}`)],
    };
  },
});
