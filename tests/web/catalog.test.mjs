// The state of the catalog, and a job from its start to its end.

import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {test} from 'node:test';
import {eventually, failedLoads} from './support/browser.mjs';
import {problem} from './support/proxy.mjs';
import {site} from './support/site.mjs';

const products = 120;
const web = site({
  server: {
    worker: true,
    env: {DECANT_KEEP_QUESTIONS: 'true'},
    prepare: `DELETE FROM products WHERE id NOT IN (SELECT id FROM products ORDER BY sku LIMIT ${products})`,
  },
  hasProxy: true,
});

const tile = (page, title) => page.getByRole('term').filter({hasText: new RegExp(`^${title}$`)}).locator('xpath=following-sibling::dd').locator('.figure');
const figure = async (page, title) => (await tile(page, title).textContent()).trim();
const rowsOf = (page, name) => page.getByRole('group', {name, exact: true}).locator('tbody tr');
const opened = (page) => page.getByText(/^As of /).waitFor();

async function ask(query, more = {}) {
  const answer = await fetch(`${web.server.url}/api/v1/pgvector/search`, {
    method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({query, ...more}),
  });
  return answer.json();
}

async function open(options = {}) {
  const page = await web.open({path: '/#/catalog', ...options});
  await opened(page);
  return page;
}

test('tells coverage, what is missing, indexes, models and migrations', async () => {
  const page = await open();
  await eventually(() => figure(page, 'Coverage'), (text) => text === '100%');
  assert.equal(await figure(page, 'Missing'), '0');
  assert.equal(await figure(page, 'Stale'), '0');
  assert.match(await rowsOf(page, 'Vector indexes').first().textContent(), /hnsw.*(KiB|MiB)valid/);
  assert.match(await rowsOf(page, 'Embeddings by model').first().textContent(), new RegExp(`multilingual-e5-small.*${products}`));
  assert.match(await rowsOf(page, 'Migrations').first().textContent(), /done.*products_all_products.*1,200 read.*compared, all equal/);
});

test('what the database says is what is shown', async () => {
  await web.server.sql("UPDATE products SET active = false WHERE id = (SELECT min(id::text)::uuid FROM products)");
  const page = await open();
  await page.getByText(`${products - 1} of ${products - 1} products`).waitFor();
  await web.server.sql('UPDATE products SET active = true');
});

test('tells of the last syncs, and where the quarantine is', async () => {
  await web.server.sql(`INSERT INTO decant.sync_runs (source, origin, scope, state, token, ended_at, report) VALUES
    ('dux', 'https://erp.example', 'full', 'complete', '', now(),
     '{"read": 1200, "created": 3, "updated": 17, "deactivated": 2, "quarantined": 1}')`);
  const page = await open();
  assert.match(await rowsOf(page, 'Syncs').first().textContent(), /dux.*complete.*1,200 read, 3 new, 17 changed.*2 deactivated, 1 in quarantine/);
  await page.getByText('decant sync quarantine').waitFor();
  await web.server.sql('DELETE FROM decant.sync_runs');
});

test('quality is shown against its targets, with state and trend', async () => {
  // So many that the real ones, which wait for the model and the machine, change nothing.
  await web.server.sql(`INSERT INTO decant.search_events (kind, run_id, strategy_used, milliseconds, results, mean_similarity, created_at)
    SELECT 'search', 'planted', 'pgvector', ms, 3, 0.5, now() - age FROM generate_series(1, 500),
      (VALUES (12, interval '1 hour'), (3000, interval '40 hours')) AS span (ms, age)`);
  const page = await open();
  const row = (name) => rowsOf(page, 'Quality, against its targets').filter({hasText: name});
  await eventually(() => row('Response time, p95').textContent(), (text) => /12 ms< 2 smet3 sbetter/.test(text.replaceAll('\u00a0', ' ')));
  assert.match(await row('Products with a vector').textContent(), /100%≥\u00a099%met/);
  assert.match(await row('Feedback, 0 to 1').textContent(), /–≥\u00a00\.7not known yet––/);
  const {metrics} = await (await fetch(`${web.server.url}/api/v1/quality?time_range=24h`)).json();
  assert.equal(await rowsOf(page, 'Quality, against its targets').count(), metrics.length);
  await web.server.sql("DELETE FROM decant.search_events WHERE run_id = 'planted'");
});

test('a job runs from its start to its end', async () => {
  const page = await open();
  await page.getByRole('checkbox', {name: 'Make all of them anew'}).check();
  await page.getByRole('button', {name: 'Start a job'}).click();
  const status = page.getByRole('status').filter({hasText: /^Job .* is (at work|done)/});
  await status.waitFor();
  const id = /^Job (\S+) /.exec(await status.textContent())[1];
  await page.getByRole('progressbar', {name: `Progress of job ${id}`}).first().waitFor();
  await page.getByRole('status').filter({hasText: `Job ${id} is done: ${products} made, 0 were fresh already, 0 failed.`}).waitFor({timeout: 120_000});
  await eventually(() => rowsOf(page, 'Embedding jobs').first().textContent(), (text) => text.startsWith(id) && text.includes('done') && text.includes('100%'));
  assert.ok(await page.getByRole('button', {name: 'Start a job'}).isEnabled());
});

test('searches, their time and their similarity are charts, tables and files', async () => {
  for (const query of ['disco SSD', 'SSD de 2 TB', 'disco NVMe']) await ask(query);
  const page = await open();
  await eventually(() => figure(page, 'Searches'), (text) => Number(text) >= 4);
  for (const title of ['Searches per minute', 'Latency', 'Similarity of the best product']) {
    const chart = page.getByRole('figure', {name: title});
    await chart.getByRole('img', {name: `Chart of ${title}`}).waitFor();
    await chart.getByRole('button', {name: `Table: ${title}`}).click();
    const rows = chart.locator('tbody tr');
    await rows.first().waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), chart.getByRole('button', {name: `CSV: download ${title}`}).click()]);
    const lines = (await readFile(await download.path(), 'utf8')).trim().split('\r\n');
    assert.equal(lines.length, (await rows.count()) + 1, title);
    assert.equal(lines[0].split(',').length, await chart.getByRole('columnheader').count());
    assert.ok(lines.slice(1).some((line) => line.split(',').slice(1).some((value) => Number(value) > 0)), lines.join('\n'));
  }
});

test('a question without result is listed', async () => {
  await ask('impresora 3d de resina violeta');
  const page = await open();
  await rowsOf(page, 'Questions without result').filter({hasText: 'impresora 3d de resina violeta'}).waitFor();
});

test('the range is chosen, and stands in the address', async () => {
  const page = await open();
  await page.getByRole('group', {name: 'Range'}).getByRole('button', {name: '7 days'}).click();
  await eventually(() => web.proxy.calls.slice(-4), (calls) => calls.some((call) => call.endsWith('time_range=7d')));
  assert.equal(await page.getByRole('button', {name: '7 days'}).getAttribute('aria-pressed'), 'true');
  await page.reload();
  await opened(page);
  assert.equal(await page.getByRole('button', {name: '7 days'}).getAttribute('aria-pressed'), 'true');
  await page.goBack();
  await eventually(() => page.getByRole('button', {name: '24 hours'}).getAttribute('aria-pressed'), (pressed) => pressed === 'true');
});

test('refreshes by itself until it is paused', async () => {
  const page = await web.open();
  await page.clock.install();
  await page.goto(`${web.proxy.url}/#/catalog`);
  await opened(page);
  const before = Number(await figure(page, 'Searches'));
  await ask(`monitor ${before}`);
  await eventually(async () => {
    await page.clock.runFor(10_000);
    return Number(await figure(page, 'Searches'));
  }, (count) => count === before + 1);
  await page.getByRole('button', {name: 'Pause'}).click();
  await page.getByText(/^Paused\. As of /).waitFor();
  web.proxy.calls = [];
  await page.clock.runFor(60_000);
  assert.deepEqual(web.proxy.calls, []);
});

test('older figures stay while the server is away, and it says so', async () => {
  const page = await web.open();
  page.allowed = failedLoads;
  await page.clock.install();
  await page.goto(`${web.proxy.url}/#/catalog`);
  await opened(page);
  web.proxy.rule = () => problem(503, 'store_unavailable');
  const told = page.getByRole('status').filter({hasText: /^Could not be refreshed: The server cannot answer now/});
  await eventually(async () => {
    await page.clock.runFor(10_000);
    return told.isVisible();
  });
  assert.equal(await figure(page, 'Missing'), '0');
  web.proxy.rule = () => undefined;
  await eventually(async () => {
    await page.clock.runFor(10_000);
    return told.isVisible();
  }, (isVisible) => !isVisible);
});

test('without an answer at all it says why', async () => {
  const page = await web.open();
  page.allowed = failedLoads;
  web.proxy.rule = ({url}) => (url.startsWith('/api/') ? problem(503, 'store_unavailable') : undefined);
  await page.goto(`${web.proxy.url}/#/catalog`);
  await page.getByRole('alert').getByRole('heading', {name: 'The server cannot answer now'}).first().waitFor();
  web.proxy.rule = () => undefined;
  await page.getByRole('alert').getByRole('button', {name: 'Try again'}).first().click();
  await opened(page);
});
