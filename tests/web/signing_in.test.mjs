// A server that has API keys and lets nobody in without one.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {eventually, failedLoads} from './support/browser.mjs';
import {site} from './support/site.mjs';

let all;
const web = site({
  async prepare() {
    all = await web.server.newKey('all');
  },
});

async function open(options) {
  const page = await web.open(options);
  page.allowed = failedLoads;
  return page;
}

async function signIn(page, key) {
  await page.getByLabel('API key').fill(key);
  await page.getByLabel('API key').press('Enter');
}

test('asks for a key before anything else, and shows no views until then', async () => {
  const page = await open({path: '/#/search?q=monitor'});
  await page.getByRole('heading', {name: 'Sign in'}).waitFor();
  assert.equal(await page.getByRole('navigation').count(), 0);
  assert.ok(await page.getByLabel('API key').evaluate((node) => node === document.activeElement && node.type === 'password'));
});

test('a wrong key is refused in words', async () => {
  const page = await open();
  await signIn(page, 'dk_wrong');
  await page.getByRole('alert').filter({hasText: 'The server did not accept this key.'}).waitFor();
  assert.equal(await page.getByRole('navigation').count(), 0);
});

test('a right key shows what was asked for, for this tab only', async () => {
  const page = await open({path: '/#/search?q=monitor'});
  await signIn(page, all.key);
  await page.getByRole('status').filter({hasText: /^24 products/}).waitFor();
  await page.reload();
  await page.getByRole('status').filter({hasText: /^24 products/}).waitFor();
  const kept = await page.evaluate(() => [JSON.stringify(localStorage), document.cookie, location.href]);
  assert.ok(!kept.join().includes(all.key));
  const tab = await page.context().newPage();
  await tab.goto(web.server.url);
  await tab.getByRole('heading', {name: 'Sign in'}).waitFor();
});

test('signing out forgets the key and everything of the session', async () => {
  const page = await open();
  await signIn(page, all.key);
  await page.getByRole('button', {name: 'Sign out'}).click();
  await page.getByRole('heading', {name: 'Sign in'}).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('signing out of a conversation leaves nothing of it', async () => {
  const page = await open({path: '/#/chat'});
  await signIn(page, all.key);
  const box = page.getByRole('textbox', {name: 'Ask about the products'});
  await box.fill('busco un monitor');
  await box.press('Enter');
  await eventually(() => page.evaluate(() => (sessionStorage.getItem('decant.chat') ?? '').includes('busco un monitor')));
  await page.getByRole('button', {name: 'Sign out'}).click();
  await page.getByRole('heading', {name: 'Sign in'}).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('a key that is revoked is asked for again', async () => {
  const one = await web.server.newKey('search');
  const page = await open({path: '/#/search?q=monitor'});
  await signIn(page, one.key);
  await page.getByRole('status').filter({hasText: /^24 products/}).waitFor();
  await web.server.revoke(one.name);
  await eventually(async () => {
    // One question at a time: those that come faster than the page's pause in typing are never asked.
    const answered = page.waitForResponse((response) => response.url().endsWith('/pgvector/search'));
    await page.getByRole('searchbox').fill(`monitor ${Math.random()}`);
    return (await answered).status() === 401;
  });
  await page.getByRole('heading', {name: 'Sign in'}).waitFor();
  await page.getByRole('alert').filter({hasText: 'The server did not accept this key.'}).waitFor();
});

test('a key without the scope of a view may use the others', async () => {
  const {key} = await web.server.newKey('search');
  const page = await open({path: '/#/search?q=monitor'});
  await signIn(page, key);
  await page.getByRole('status').filter({hasText: /^24 products/}).waitFor();
  await page.getByRole('link', {name: 'Catalog'}).click();
  await page.getByRole('alert').getByRole('heading', {name: 'This key may not do that'}).first().waitFor();
  await page.getByRole('link', {name: 'Search'}).click();
  await page.getByRole('searchbox').waitFor();
});
