// Text from outside that would be a program if anybody took it for one: it is shown as it is written, and does nothing.

import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {eventually, failedLoads} from './support/browser.mjs';
import {Ollama} from './support/ollama.mjs';
import {problem} from './support/proxy.mjs';
import {site} from './support/site.mjs';

const hostile = `<img src=x onerror="window.harmed=1">`;
const script = `"><script>window.harmed=1</script>`;
const name = `Zafiro ${hostile}`;
const brand = `Marca ${script}`;
const category = `Rubro <svg onload="window.harmed=1">`;
const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

const llm = await new Ollama().up();
const web = site({
  server: {
    env: {...llm.settings, DECANT_KEEP_QUESTIONS: 'true'},
    prepare: `
      WITH c AS (INSERT INTO categories (name, display_name) VALUES (${quoted(category)}, ${quoted(category)}) RETURNING id),
           b AS (INSERT INTO brands (name, display_name) VALUES (${quoted(brand)}, ${quoted(brand)}) RETURNING id)
      INSERT INTO products (sku, name, model, specs, description, price, stock, image_url, category_id, brand_id)
      SELECT 'ZAF-' || n, ${quoted(name)}, ${quoted(hostile)}, ${quoted(script)}, ${quoted(`Zafiro ${script}`)}, 10, 5, url, c.id, b.id
      FROM c, b, unnest(ARRAY['javascript:window.harmed=1', 'data:text/html,<script>alert(1)</script>', 'http://198.51.100.1/x.png']) WITH ORDINALITY AS u (url, n)`,
  },
  hasProxy: true,
});
after(() => llm.down());

/** Nothing ran, and nothing became an element that was text. */
async function assertHarmless(page) {
  assert.equal(await page.evaluate(() => window.harmed), undefined);
  assert.equal(await page.locator('main img, main script, main iframe, main a[href^="javascript"], main [onerror], main [onload]').count(), 0);
}

test('names, brands, categories and addresses of images of products', async () => {
  const page = await web.open({path: '/#/search?q=zafiro&strategy=keyword'});
  const heading = page.getByRole('article').first().getByRole('heading');
  await heading.waitFor();
  assert.equal(await heading.textContent(), name);
  await page.getByRole('region', {name: /Brand$/}).locator('summary').click();
  await page.getByRole('button').filter({hasText: brand}).click();
  await eventually(() => new URLSearchParams(new URL(page.url()).hash.split('?')[1]).get('brandName'), (text) => text === brand);
  await eventually(() => page.getByRole('article').count(), (count) => count === 3);
  await page.getByText(`Rubro <svg`).first().waitFor();
  await assertHarmless(page);
});

test('names in a comparison', async () => {
  const page = await web.open({path: '/#/search?q=zafiro&strategy=keyword&other=fusion&compare=1'});
  await page.getByRole('region', {name: 'Left: keyword'}).getByText(name).first().waitFor();
  await assertHarmless(page);
});

test('what somebody is led to by a link', async () => {
  const page = await web.open({path: `/#/search?${new URLSearchParams({q: hostile, brand: script, brandName: brand, category: hostile, categoryName: category, sort: script, strategy: hostile, similar: script})}`});
  page.allowed = failedLoads;
  await eventually(() => page.getByRole('searchbox').inputValue(), (text) => text === hostile);
  await page.waitForLoadState('networkidle');
  await assertHarmless(page);
});

test('an error that the server, or whatever answers in its place, tells of', async () => {
  web.proxy.rule = ({url}) => (url.endsWith('/search') ? problem(422, hostile, {detail: script}) : undefined);
  const page = await web.open();
  page.allowed = failedLoads;
  await page.getByRole('searchbox').fill('monitor');
  await page.getByRole('alert').getByText(script).waitFor();
  await assertHarmless(page);
});

test('what is said in the chat, by whom it may be', async () => {
  llm.answer = async function* () { yield `Le puede servir ${hostile} el Dell S2721D.\n`; };
  const page = await web.open({path: '/#/chat', language: 'es'});
  const box = page.getByRole('textbox', {name: 'Pregunte por los productos'});
  await box.fill(`Busco un monitor ${hostile}`);
  await box.press('Enter');
  const turns = page.getByRole('list', {name: 'Conversación'}).locator(':scope > li');
  await eventually(() => turns.last().getAttribute('aria-busy'), (busy) => busy === 'false');
  assert.ok((await turns.first().textContent()).includes(hostile));
  await assertHarmless(page);
});

test('an event of a stream that is not of decant', async () => {
  const event = {event_type: 'complete', message: `${hostile}\n\n1. ${script}`, progress: 1, agent_current: hostile, timestamp: script,
    metadata: {products: [{product_id: script, name: hostile, brand: script, price: 1, stock: 1, similarity_score: 0.5, image_url: 'javascript:window.harmed=1'}], run_id: script}};
  web.proxy.rule = ({url}) => (url.endsWith('/stream')
    ? {status: 200, headers: {'Content-Type': 'text/event-stream'}, body: `id: 1:1\ndata: ${JSON.stringify(event)}\n\n`} : undefined);
  const page = await web.open({path: '/#/chat'});
  const box = page.getByRole('textbox');
  await box.fill('hello');
  await box.press('Enter');
  await page.getByRole('heading', {name: hostile}).waitFor();
  await page.reload();
  await page.getByRole('heading', {name: hostile}).waitFor();
  await assertHarmless(page);
});

test('questions and products in the view of the catalog', async () => {
  const question = `qwxzk ${hostile}`;
  await fetch(`${web.server.url}/api/v1/pgvector/search`, {
    method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({query: question, strategy: 'keyword'}),
  });
  await web.server.sql(`INSERT INTO decant.embedding_dead_letters (product_id, error, attempts) SELECT id, ${quoted(script)}, 3 FROM products WHERE sku = 'ZAF-1'`);
  const page = await web.open({path: '/#/catalog'});
  await page.getByText(question).waitFor();
  await page.getByText(script).first().waitFor();
  await assertHarmless(page);
});
