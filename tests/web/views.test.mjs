// Every view in both themes, languages and widths: nothing that axe-core finds, no scrolling to the side. A folder that
// DECANT_TEST_SCREENSHOTS names gets a picture of each.

import assert from 'node:assert/strict';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {test} from 'node:test';
import {failedLoads} from './support/browser.mjs';
import {axeSource} from './support/packages.mjs';
import {problem} from './support/proxy.mjs';
import {site} from './support/site.mjs';

const web = site({
  server: {
    env: {DECANT_KEEP_QUESTIONS: 'true'},
    prepare: `UPDATE products SET name = name || ' ' || repeat('X', 120) WHERE sku = 'MON-0001';
      UPDATE products SET description = description || '.' WHERE sku LIKE 'MON-%';
      INSERT INTO decant.embedding_dead_letters (product_id, error, attempts)
        SELECT id, 'the server of the model answered 500: out of memory', 5 FROM products WHERE sku LIKE 'GPU-000%'`,
  },
  hasProxy: true,
  async prepare() {
    const ask = (query) => fetch(`${web.server.url}/api/v1/pgvector/search`, {
      method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({query}),
    });
    for (const query of ['monitor', 'teclado mecanico', 'impresora 3d de resina violeta', 'notebook gamer']) await ask(query);
    await fetch(`${web.server.url}/api/v1/pgvector/embeddings/batch`, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'});
  },
});

const first = (page, selector) => page.locator(selector).first().waitFor();
const fails = (status, code) => () => {
  web.proxy.rule = ({url}) => (url.startsWith('/api/') ? problem(status, code, {headers: {'Retry-After': '50'}}) : undefined);
};

async function chat(page, ...messages) {
  for (const message of messages) {
    await page.locator('#message').fill(message);
    await page.locator('#message').press('Enter');
    await page.locator('.turn.ai[aria-busy="false"]').nth(messages.indexOf(message)).waitFor();
  }
}

/** Of each: where it is, what spoils the way to the server before, and what has to be there and to be done. */
const views = {
  'search-empty': {hash: '#/search', ready: (page) => first(page, '.results .notice')},
  'search-found': {hash: '#/search?q=monitor+gamer+hasta+500', ready: (page) => first(page, '.card')},
  'search-filtered': {hash: '#/search?q=monitor&min=100&max=300&stock=1&sort=price_up&ignore=category', async ready(page) {
    await first(page, '.card');
    await page.locator('details.filters').evaluate((node) => { node.open = true; });
  }},
  'search-nothing': {hash: '#/search?q=impresora+3d+de+resina+violeta', ready: (page) => first(page, '.results .notice h2')},
  'search-similar': {hash: '#/search?q=monitor', async ready(page) {
    await page.locator('.card button').first().click();
    await first(page, '.chips .chip');
  }},
  'search-compare': {hash: '#/search?q=teclado+mecanico&compare=1', ready: (page) => page.locator('.compare ol').nth(1).waitFor()},
  'search-unreachable': {hash: '#/search?q=monitor', spoil: fails(503, 'store_unavailable'), ready: (page) => first(page, 'decant-notice')},
  'search-limited': {hash: '#/search?q=monitor', spoil: fails(429, 'rate_limited'), ready: (page) => first(page, 'decant-notice')},
  'sign-in': {hash: '#/search?q=monitor', spoil: fails(401, 'unauthenticated'), ready: (page) => first(page, '#api-key')},
  'chat-empty': {hash: '#/chat', ready: (page) => first(page, '#message')},
  'chat-answers': {hash: '#/chat', async ready(page) {
    await chat(page, 'Busco una notebook gamer hasta 1500', 'gracias');
    await page.locator('.thumb').nth(1).click();
    await first(page, '.rating form:not([hidden])');
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  }},
  'chat-failed': {hash: '#/chat', spoil: fails(503, 'store_unavailable'), async ready(page) {
    await page.locator('#message').fill('Busco un monitor');
    await page.locator('#message').press('Enter');
    await first(page, 'decant-notice');
  }},
  catalog: {hash: '#/catalog', async ready(page) {
    await first(page, '#chart-similarity canvas');
    await first(page, '#migrations tbody tr');
  }},
  'catalog-tables': {hash: '#/catalog?range=7d', async ready(page) {
    await first(page, '#migrations tbody tr');
    for (const button of await page.locator('.chart button[aria-pressed]').all()) await button.click();
    await first(page, '.plot-table tbody tr');
  }},
  'catalog-failed': {hash: '#/catalog', spoil: fails(503, 'store_unavailable'), ready: (page) => first(page, 'decant-notice')},
};

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

async function axeFindings(page) {
  await page.evaluate(axeSource);
  const {violations} = await page.evaluate((values) => window.axe.run(document, {runOnly: {type: 'tag', values}}), tags);
  return violations.flatMap(({id, nodes}) => nodes.slice(0, 4).map(({html, failureSummary}) => `${id}: ${html.slice(0, 200)} ${failureSummary}`));
}

/** By how much the page is wider than the window, and the elements that are to blame. */
const tooWide = (page) => page.evaluate(() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  return [root.scrollWidth - root.clientWidth, ...[...document.querySelectorAll('body *')]
    .filter((node) => node.getBoundingClientRect().right > root.clientWidth + 1 && !node.closest('.scroll'))
    .slice(0, 5).map((node) => node.outerHTML.slice(0, 150))];
});

async function take(page, name) {
  const folder = process.env.DECANT_TEST_SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, {recursive: true});
  await page.evaluate(() => scrollTo(0, 0));  // what sticks to the window would stand in the middle of the picture
  await page.screenshot({path: join(folder, `${name}.png`), fullPage: true});
}

for (const width of [320, 1280]) {
  for (const theme of ['light', 'dark']) {
    for (const language of ['es', 'en']) {
      test(`every view at ${width} px, ${theme}, ${language}`, async (t) => {
        for (const [name, {hash, spoil, ready}] of Object.entries(views)) {
          await t.test(name, async () => {
            const page = await web.open({width, theme, language, path: '/#/none'});
            if (spoil) {
              page.allowed = failedLoads;
              spoil();
            }
            await page.goto(`${web.proxy.url}/${hash}`);
            await ready(page);
            await page.waitForLoadState('networkidle');
            const found = {tooWide: await tooWide(page), axe: await axeFindings(page)};
            await take(page, `${name}-${width}-${theme}-${language}`);
            assert.deepEqual(found, {tooWide: [], axe: []});
          });
        }
      });
    }
  }
}
