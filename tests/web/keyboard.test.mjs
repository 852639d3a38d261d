// Everything by keyboard alone: the Tab key gets everywhere, and what has the focus can be seen to have it.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {eventually} from './support/browser.mjs';
import {site} from './support/site.mjs';

const web = site({server: {worker: true, prepare: "DELETE FROM products WHERE sku NOT LIKE 'MON-%' AND sku NOT LIKE 'NOT-%'"}});

const focused = (page) => page.evaluate(() => {
  const node = document.activeElement;
  const name = node.getAttribute('aria-label') ?? node.labels?.[0]?.textContent ?? node.textContent;
  const {outlineStyle, outlineWidth} = getComputedStyle(node);
  return {tag: node.localName, name: name.trim(), isMarked: outlineStyle !== 'none' && outlineWidth !== '0px'};
});

/** Presses Tab until what `is` takes has the focus; each stop on the way has to be marked. */
async function tabTo(page, is, key = 'Tab') {
  const seen = [];
  for (let stops = 0; stops < 120; ++stops) {
    const now = await focused(page);
    if (now.tag !== 'body' && is(now)) return now;
    if (now.tag !== 'body' && now.tag !== 'main') assert.ok(now.isMarked, `the focus on ${now.tag} "${now.name}" is not to be seen`);
    seen.push(`${now.tag} ${now.name}`);
    await page.keyboard.press(key);
  }
  return assert.fail(`it is not among: ${seen.join(' | ')}`);
}

const named = (tag, name) => (now) => now.tag === tag && (name instanceof RegExp ? name.test(now.name) : now.name === name);
const status = (page, text) => page.getByRole('status').filter({hasText: text}).first().waitFor();

test('the first stop leads past the head of the page', async () => {
  const page = await web.open({path: '/#/catalog'});
  await page.getByText(/^As of /).waitFor();
  await page.keyboard.press('Tab');
  assert.equal((await focused(page)).name, 'Skip to content');
  await page.keyboard.press('Enter');
  assert.equal((await focused(page)).tag, 'main');
});

test('a search with a facet, an order, a product like another, and the way back', async () => {
  const page = await web.open();
  await eventually(() => focused(page), ({tag}) => tag === 'input');
  await page.keyboard.type('monitor hasta 500');
  await status(page, /^24 products/);
  await tabTo(page, named('button', 'Remove Up to $500'));
  await page.keyboard.press('Enter');
  await eventually(() => focused(page), ({tag}) => tag === 'input');
  await tabTo(page, named('button', /^LG\d+$/));
  await page.keyboard.press('Space');
  await eventually(() => focused(page), named('button', /^LG\d+$/));
  await page.getByRole('button', {name: /^LG/, pressed: true}).waitFor();
  await tabTo(page, named('select', /^Order/), 'Shift+Tab');
  await page.keyboard.press('ArrowDown');
  await eventually(() => page.url(), (url) => url.includes('sort=price_up'));
  const {name} = await tabTo(page, named('button', /^Similar products to LG/));
  await page.keyboard.press('Enter');
  await page.getByRole('list', {name: name.replace('products ', '')}).waitFor();
  await eventually(() => focused(page), named('button', 'Back to the search'));
  await page.keyboard.press('Enter');
  await eventually(() => focused(page), ({tag}) => tag === 'input');
});

test('a conversation with a rating', async () => {
  const page = await web.open();
  await tabTo(page, named('a', 'Chat'), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', {name: 'Chat'}).waitFor();
  await tabTo(page, (now) => now.tag === 'textarea');
  await page.keyboard.type('Which laptops are in stock?');
  await page.keyboard.press('Enter');
  await page.locator('.turn.ai[aria-busy="false"]').waitFor();
  await tabTo(page, named('button', 'Bad answer'), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await eventually(() => focused(page), named('input', 'What was wrong? (optional)'));
  await page.keyboard.type('too long');
  await page.keyboard.press('Enter');
  await page.getByText('Noted, thank you.').waitFor();
  await eventually(() => focused(page), named('button', 'Bad answer'));
});

test('a range, a table, and a job', async () => {
  const page = await web.open({path: '/#/catalog'});
  await page.getByText(/^As of /).waitFor();
  await tabTo(page, named('button', '1 hour'));
  await page.keyboard.press('Enter');
  await eventually(() => page.getByRole('button', {name: '1 hour'}).getAttribute('aria-pressed'), (pressed) => pressed === 'true');
  assert.equal((await focused(page)).name, '1 hour');
  await tabTo(page, named('button', 'Table: Latency'));
  await page.keyboard.press('Enter');
  await page.getByRole('figure', {name: 'Latency'}).getByRole('table').waitFor();
  await tabTo(page, named('button', 'Start a job'));
  await page.keyboard.press('Enter');
  await status(page, /^Job \S+ is done/);
  assert.equal((await focused(page)).name, 'Start a job');
});

test('language and colours, which keep the focus', async () => {
  const page = await web.open();
  await page.getByRole('searchbox').waitFor();
  await tabTo(page, named('select', 'Language'), 'Shift+Tab');
  await page.keyboard.press('ArrowUp');
  await page.getByRole('link', {name: 'Catálogo'}).waitFor();
  await eventually(() => focused(page), named('select', 'Idioma'));
  await tabTo(page, named('button', /^Colores: como el sistema/));
  await page.keyboard.press('Enter');
  await eventually(() => focused(page), named('button', /^Colores: claro/));
});
