// The page as a whole: its policy, its size, its languages, its colours.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {gzipSync} from 'node:zlib';
import {failedLoads} from './support/browser.mjs';
import {site} from './support/site.mjs';

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; "
  + "frame-ancestors 'none'; base-uri 'none'";
const web = site();

/** Every file that the page and its files name, with what the server says about it. */
async function allFiles() {
  const index = await fetch(`${web.server.url}/`);
  const files = new Map([['/', {headers: index.headers, bytes: Buffer.from(await index.arrayBuffer())}]]);
  const folder = /\/page\/[0-9a-f]+\//.exec(files.get('/').bytes.toString())[0];
  const waiting = ['/'];
  while (waiting.length) {
    const text = files.get(waiting.pop()).bytes.toString();
    for (const [, name] of text.matchAll(/['"/]([a-z][\w.-]*\.(?:js|css|svg))['"]/gi)) {
      const path = folder + name;
      if (files.has(path)) continue;
      const answer = await fetch(web.server.url + path);
      assert.equal(answer.status, 200, path);
      files.set(path, {headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer())});
      waiting.push(path);
    }
  }
  return files;
}

test('every file of the page has the strict policy', async () => {
  const files = await allFiles();
  assert.ok(files.size > 10);
  for (const [path, {headers}] of files) assert.equal(headers.get('content-security-policy'), policy, path);
});

test('all files together are at most 100 kB compressed', async () => {
  const files = await allFiles();
  assert.ok([...files.keys()].some((path) => /chart\.min|uplot/i.test(path)), 'the largest of them is missing');
  const sizes = [...files].map(([path, {bytes}]) => [gzipSync(bytes, {level: 9}).length, path]);
  const total = sizes.reduce((sum, [size]) => sum + size, 0);
  assert.ok(total <= 100_000, `${total} bytes: ${sizes.sort((a, b) => b[0] - a[0]).map((size) => size.join(' ')).join(', ')}`);
});

test('speaks the language that the browser asks for', async () => {
  for (const [language, name] of [['es', 'Buscar'], ['en', 'Search']]) {
    const page = await web.open({language});
    await page.getByRole('link', {name, exact: true}).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), language);
  }
});

test('keeps the language that was chosen over a reload', async () => {
  const page = await web.open({language: 'en'});
  await page.getByRole('combobox', {name: 'Language'}).selectOption('es');
  await page.getByRole('link', {name: 'Catálogo'}).waitFor();
  await page.reload();
  await page.getByRole('link', {name: 'Catálogo'}).waitFor();
  assert.equal(await page.title(), 'Buscar · decant');
});

const ground = (page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

test('is light or dark as the system, until somebody chooses', async () => {
  const page = await web.open({theme: 'dark'});
  await page.getByRole('searchbox').waitFor();
  const dark = await ground(page);
  await page.emulateMedia({colorScheme: 'light'});
  const light = await ground(page);
  assert.notEqual(dark, light);
  await page.getByRole('button', {name: /Colours/}).click();
  await page.getByRole('button', {name: /Colours: light/}).click();
  await page.getByRole('button', {name: /Colours: dark/}).waitFor();
  assert.equal(await ground(page), dark);
  await page.reload();
  assert.equal(await ground(page), dark);
});

test('a page of before an update offers to load the new one', async () => {
  const page = await web.open();
  page.allowed = failedLoads;
  await page.route('**/page/*/chat.js', (route) => route.fulfill({status: 404, body: ''}));
  await page.getByRole('link', {name: 'Chat'}).click();
  await page.getByRole('alert').getByRole('button', {name: 'Load it'}).waitFor();
});
