// Searching, as somebody does it who looks and clicks.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {eventually} from './support/browser.mjs';
import {site} from './support/site.mjs';

const web = site({hasProxy: true});

/** An address of the page that asks. */
const asking = (parameters) => `/#/search?${new URLSearchParams(parameters)}`;
const status = (page) => page.locator('decant-search').getByRole('status').first();
const results = (page) => page.getByRole('region', {name: /^(Results|Resultados)$/});
const cards = (page) => results(page).getByRole('article');
const namesOf = (page) => cards(page).getByRole('heading').allTextContents();
const pricesOf = async (page) => (await results(page).locator('.price').allTextContents()).map((text) => Number(text.replace(/[$,]/g, '')));
const found = (page, count) => status(page).filter({hasText: new RegExp(`^${count} (product|producto)s? `)}).waitFor();
const state = (page) => new URLSearchParams(new URL(page.url()).hash.split('?')[1]);
const searches = () => web.proxy.calls.filter((call) => call === 'POST /api/v1/pgvector/search').length;

test('answers while somebody types, with few questions', async () => {
  const page = await web.open({language: 'es'});
  await page.getByRole('searchbox').pressSequentially('notebook gamer hasta 1500', {delay: 20});
  await found(page, 4);
  assert.ok((await namesOf(page)).includes('Dell G15 5530'));
  assert.ok(searches() < 10, `${searches()} searches`);
  assert.equal(state(page).get('q'), 'notebook gamer hasta 1500');
});

test('a newer question wins over a slower older one', async () => {
  const page = await web.open();
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  web.proxy.rule = ({url}) => (url.endsWith('/search') && web.proxy.calls.filter((call) => call.endsWith('/search')).length === 1 ? {hold: held} : undefined);
  await page.getByRole('searchbox').fill('monitor');
  await eventually(searches, (count) => count === 1);
  await page.getByRole('searchbox').fill('notebook gamer hasta 1500');
  await found(page, 4);
  release();
  await page.waitForLoadState('networkidle');
  assert.match(await status(page).textContent(), /^4 products/);
});

test('a card tells name, brand, category, price, stock and similarity', async () => {
  const page = await web.open({path: asking({q: 'Acer Nitro 5'})});
  const card = cards(page).filter({has: page.getByRole('heading', {name: 'Acer Nitro 5', exact: true})});
  await card.waitFor();
  const text = await card.textContent();
  for (const fact of ['Acer', 'Notebooks', '$1,149', '9 in stock']) assert.ok(text.includes(fact), `${fact} is not in ${text}`);
  const similarity = Number(await card.getByRole('meter', {name: 'Similarity'}).getAttribute('aria-valuenow'));
  assert.ok(similarity > 0 && similarity <= 1, String(similarity));
});

test('a facet narrows the results, and is let go by a second click', async () => {
  const page = await web.open({path: asking({q: 'monitor'})});
  await found(page, 24);
  const facet = page.getByRole('button', {name: /^ViewSonic/});
  const products = Number(/\d+$/.exec(await facet.textContent())[0]);
  await facet.click();
  await found(page, products);
  assert.equal(await facet.getAttribute('aria-pressed'), 'true');
  for (const text of await cards(page).allTextContents()) assert.match(text, /ViewSonic/);
  assert.ok(await facet.evaluate((node) => node === document.activeElement), 'the focus is kept');
  await facet.click();
  await found(page, 24);
});

test('the browser goes back over what was clicked', async () => {
  const page = await web.open({path: asking({q: 'monitor'})});
  await page.getByRole('button', {name: /^ViewSonic/}).click();
  await eventually(() => state(page).get('brandName'), (name) => name === 'ViewSonic');
  await page.goBack();
  await found(page, 24);
  assert.equal(await page.getByRole('button', {name: /^ViewSonic/}).getAttribute('aria-pressed'), 'false');
});

test('a price range and stock hold for every result', async () => {
  const page = await web.open({path: asking({q: 'monitor'})});
  await found(page, 24);
  await page.getByRole('spinbutton', {name: 'Price: From'}).fill('150');
  await page.getByRole('spinbutton', {name: 'Price: To'}).fill('200');
  await page.getByRole('checkbox', {name: 'In stock only'}).check();
  await eventually(() => pricesOf(page), (prices) => prices.length > 0 && prices.every((price) => price >= 150 && price <= 200));
  await eventually(() => cards(page).getByText('Sold out').count(), (count) => count === 0);
  await page.getByRole('button', {name: 'Clear the filters'}).click();
  await eventually(() => pricesOf(page), (prices) => prices.some((price) => price > 200));
});

test('what was understood is a chip that can be taken away and brought back', async () => {
  const page = await web.open({language: 'es', path: asking({q: 'notebook gamer hasta 1500'})});
  await found(page, 4);
  const chips = page.getByRole('list', {name: 'Entendido'});
  await chips.getByText('Hasta $1.500', {exact: true}).waitFor();
  await chips.getByRole('button', {name: 'Quitar Hasta $1.500'}).click();
  await eventually(async () => Number.parseInt(await status(page).textContent(), 10), (count) => count > 4);
  await chips.getByRole('button', {name: /^Precio máximo/}).click();
  await found(page, 4);
});

test('sorts what is shown', async () => {
  const page = await web.open({path: asking({q: 'monitor'})});
  await found(page, 24);
  const order = page.getByRole('combobox', {name: 'Order'});
  await order.selectOption('price_up');
  await eventually(() => pricesOf(page), (prices) => prices.every((price, place) => place === 0 || prices[place - 1] <= price));
  await order.selectOption('price_down');
  await eventually(() => pricesOf(page), (prices) => prices.every((price, place) => place === 0 || prices[place - 1] >= price));
  await order.selectOption('relevance');
  await eventually(() => pricesOf(page), (prices) => prices.some((price, place) => place > 0 && prices[place - 1] < price));
});

test('shows more on demand, each product once', async () => {
  const page = await web.open({path: asking({q: 'monitor'})});
  await found(page, 24);
  await page.getByRole('button', {name: 'Show more'}).click();
  await found(page, 48);
  const ids = await cards(page).evaluateAll((all) => all.map((card) => card.dataset.product));
  assert.equal(new Set(ids).size, 48);
});

test('"similar" on a card finds products like it, without it', async () => {
  const page = await web.open({path: asking({q: 'Dell G15 5530'})});
  await page.getByRole('button', {name: 'Similar products to Dell G15 5530'}).click();
  await page.getByRole('list', {name: 'Similar to Dell G15 5530'}).waitFor();
  await eventually(() => namesOf(page), (names) => names.length > 0 && !names.includes('Dell G15 5530'));
  await page.getByRole('button', {name: 'Back to the search'}).click();
  await eventually(() => namesOf(page), (names) => names.includes('Dell G15 5530'));
  assert.ok(await page.getByRole('searchbox').evaluate((node) => node === document.activeElement));
});

test('compares two strategies: the time of each, and what moved', async () => {
  const page = await web.open({path: asking({q: 'teclado mecanico retroiluminado', compare: '1'})});
  const left = page.getByRole('region', {name: 'Left: pgvector_primary'});
  const right = page.getByRole('region', {name: 'Right: fusion'});
  for (const side of [left, right]) {
    await side.getByRole('status').filter({hasText: /^20 products · [\d.]+ m?s · by /}).waitFor();
    assert.equal(await side.getByRole('listitem').count(), 20);
  }
  const said = await assertMovements(left, right);
  assert.ok(said.up > 0 && said.only > 0, JSON.stringify(said));
  await right.getByRole('combobox').selectOption('keyword');
  await page.getByRole('region', {name: 'Right: keyword'}).getByRole('status').waitFor();
  assert.equal(state(page).get('other'), 'keyword');
});

/** What a row says about its move is so: up 2 means two places higher than on the other side. */
async function assertMovements(left, right) {
  const rows = async (side) => side.getByRole('listitem').evaluateAll((all) =>
    all.map((row) => ({name: row.querySelector('.name').textContent, moved: row.querySelector('.moved').textContent})));
  const [before, after] = [await rows(left), await rows(right)];
  const said = {up: 0, down: 0, same: 0, only: 0};
  for (const [place, {name, moved}] of after.entries()) {
    const old = before.findIndex((row) => row.name === name);
    const [, way, count] = /(up|down) (\d+)/.exec(moved) ?? [];
    if (moved.includes('only')) assert.equal(old, -1, name);
    else assert.equal(old - place, way === 'up' ? Number(count) : way === 'down' ? -Number(count) : 0, `${name}: ${moved}`);
    said[moved.includes('only') ? 'only' : way ?? 'same'] += 1;
  }
  return said;
}

test('where nothing is found it tells why, and what helps', async () => {
  const page = await web.open({path: asking({q: 'impresora 3d de resina violeta'})});
  const notice = results(page);
  await notice.getByRole('heading', {name: 'Nothing found for “impresora 3d de resina violeta”'}).waitFor();
  assert.match(await notice.textContent(), /The nearest product is 23\.\d% similar; the threshold is 30%\./);
  await notice.getByRole('button', {name: 'Try vectors and words together'}).click();
  await eventually(() => state(page).get('strategy'), (strategy) => strategy === 'fusion');
});

test('filters that nothing passes can be cleared where it says so', async () => {
  const page = await web.open({path: asking({q: 'monitor', min: '900000'})});
  await results(page).getByText('No product passes all the filters.').waitFor();
  await results(page).getByRole('button', {name: 'Clear the filters'}).click();
  await found(page, 24);
});

test('an empty box explains itself and offers the last searches', async () => {
  const page = await web.open();
  await results(page).getByRole('heading', {name: 'Describe it in your own words'}).waitFor();
  await page.getByRole('searchbox').fill('monitor');
  await page.getByRole('searchbox').press('Enter');
  await found(page, 24);
  await page.getByRole('searchbox').fill('');
  await results(page).getByRole('button', {name: 'monitor'}).click();
  await found(page, 24);
});
