// What goes wrong between the page and the server, and how the page says so.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {eventually, failedLoads} from './support/browser.mjs';
import {problem} from './support/proxy.mjs';
import {site} from './support/site.mjs';

const web = site({hasProxy: true});
const asked = '/#/search?q=monitor';
const isSearch = ({url}) => url.endsWith('/pgvector/search');
const failWith = (answer) => { web.proxy.rule = (request) => (isSearch(request) ? answer : undefined); };
const heal = () => { web.proxy.rule = () => undefined; };
const found = (page) => page.getByRole('status').filter({hasText: /^24 product/}).waitFor();

async function openFailing(language = 'en') {
  const page = await web.open({language});
  page.allowed = failedLoads;
  await page.goto(web.proxy.url + asked);
  return page;
}

for (const [language, title, again] of [
  ['en', 'The server does not answer', 'Try again'],
  ['es', 'El servidor no responde', 'Reintentar'],
]) {
  test(`a server that is down is told of, and can be tried again (${language})`, async () => {
    const page = await web.open({language});
    page.allowed = failedLoads;
    await page.getByRole('searchbox').waitFor();
    await web.proxy.down();
    try {
      await page.getByRole('searchbox').fill('monitor');
      const alert = page.getByRole('alert');
      await alert.getByRole('heading', {name: title}).waitFor();
      await web.proxy.up();
      await alert.getByRole('button', {name: again}).click();
    } finally {
      await web.proxy.up();
    }
    await found(page);
  });
}

test('tries again by itself when the server said when', async () => {
  failWith(problem(503, 'store_unavailable', {detail: 'The database is away.', headers: {'Retry-After': '1'}}));
  const page = await openFailing();
  const alert = page.getByRole('alert');
  await alert.getByRole('heading', {name: 'The server cannot answer now'}).waitFor();
  assert.match(await alert.textContent(), /The database is away\..*Request f00d/s);
  heal();
  await found(page);
  assert.equal(await page.getByRole('alert').count(), 0);
});

test('too many requests: it tells, and waits as long as it was told', async () => {
  failWith(problem(429, 'rate_limited', {headers: {'Retry-After': '40'}}));
  const page = await openFailing();
  await page.getByRole('alert').getByRole('heading', {name: 'Too many requests in this minute'}).waitFor();
  assert.match(await page.getByRole('alert').textContent(), /Tries again in (40|39|38) seconds\./);
  heal();
  await page.getByRole('alert').getByRole('button', {name: 'Try again'}).click();
  await found(page);
});

test('what the key may not do is told of', async () => {
  failWith(problem(403, 'permission_denied'));
  const page = await openFailing();
  await page.getByRole('alert').getByRole('heading', {name: 'This key may not do that'}).waitFor();
});

test('credentials that are refused lead to signing in', async () => {
  failWith(problem(401, 'unauthenticated', {headers: {'WWW-Authenticate': 'Bearer'}}));
  const page = await openFailing();
  await page.getByRole('heading', {name: 'Sign in'}).waitFor();
  assert.ok(await page.getByLabel('API key').evaluate((node) => node === document.activeElement));
});

test('an answer of something else than decant is told of as what it is', async () => {
  failWith({status: 502, headers: {'Content-Type': 'text/html'}, body: '<h1>Bad gateway</h1>'});
  const page = await openFailing();
  await page.getByRole('alert').getByRole('heading', {name: 'Something went wrong in the server'}).waitFor();
  assert.equal(await page.getByText('Bad gateway').count(), 0);
});

test('an answer that is cut off counts as no answer', async () => {
  failWith({cut: '"results"'});
  const page = await openFailing();
  await page.getByRole('alert').getByRole('heading', {name: 'The server does not answer'}).waitFor();
});

test('a slow answer shows that it is waited for, and typing stays possible', async () => {
  let release;
  failWith({hold: new Promise((resolve) => { release = resolve; })});
  const page = await openFailing();
  const results = page.getByRole('region', {name: 'Results'});
  await eventually(() => results.getAttribute('aria-busy'), (busy) => busy === 'true');
  await page.getByRole('searchbox').fill('teclado');
  assert.equal(await page.getByRole('searchbox').inputValue(), 'teclado');
  release();
  await found(page);
  await eventually(() => results.getAttribute('aria-busy'), (busy) => busy === null);
});

test('one side of a comparison may fail without the other', async () => {
  const page = await web.open();
  page.allowed = failedLoads;
  await page.route('**/pgvector/search', (route) =>
    (route.request().postDataJSON().strategy === 'fusion' ? route.fulfill(problem(500, 'internal')) : route.continue()));
  await page.goto(`${web.proxy.url}/#/search?q=monitor&compare=1`);
  await page.getByRole('region', {name: /^Right: fusion/}).getByRole('alert').waitFor();
  await page.getByRole('region', {name: /^Left:/}).getByRole('status').filter({hasText: /^20 products/}).waitFor();
});
