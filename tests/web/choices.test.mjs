// What a visitor chooses from an answer that is part of an experiment.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {eventually} from './support/browser.mjs';
import {site} from './support/site.mjs';

const web = site({hasProxy: true, prepare: startExperiment});

async function hasExperiment() {
  const answer = await fetch(`${web.server.url}/api/v1/pgvector/search`, {
    method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({query: 'monitor'}),
  });
  return Boolean((await answer.json()).metadata.experiment);
}

/** Until the server knows of it. */
async function startExperiment() {
  await web.server.sql(`INSERT INTO decant.experiments (name, arms, weights, unit, mode, metric)
    VALUES ('page', '{pgvector_primary,fusion}', '{50,50}', 'session', 'split', 'chosen')`);
  await eventually(hasExperiment);
}

const feedbacks = () => web.proxy.calls.filter((call) => call === 'POST /api/v1/feedback').length;
/** Of what was chosen: product, score, and of which kind the answer was. */
const choice = (product) => web.server.sql(`SELECT coalesce(f.score::text, 'none'), e.kind, e.experiment FROM decant.feedback f
  JOIN decant.search_events e ON e.run_id = f.subject_id WHERE f.product_id = '${product}'`);

test('a product whose like is looked for was chosen, and no opinion is made up', async () => {
  const page = await web.open({path: `/#/search?${new URLSearchParams({q: 'Acer Nitro 5'})}`});
  const card = page.getByRole('region', {name: 'Results'}).getByRole('article').first();
  const product = await card.getAttribute('data-product');
  await card.getByRole('button', {name: /^Similar products to /}).click();
  await page.locator('.chips ul').waitFor();
  assert.equal((await eventually(() => choice(product), (text) => text.trim() !== '')).trim(), 'none|search|page');
  assert.equal(feedbacks(), 1);
});

test('what is chosen from products like another is of no experiment', async () => {
  const page = await web.open({path: `/#/search?${new URLSearchParams({q: 'monitor'})}`});
  const similar = page.getByRole('region', {name: 'Results'}).getByRole('button', {name: /^Similar products to /});
  const first = await similar.first().getAttribute('aria-label');
  await similar.first().click();
  const name = await eventually(() => similar.first().getAttribute('aria-label'), (label) => label !== first);
  await eventually(feedbacks, (count) => count === 1);
  await similar.first().click();
  await eventually(() => page.locator('.chips').textContent(), (text) => text.includes(name.replace('Similar products to ', '')));
  assert.equal(feedbacks(), 1);
});

test('the chat tells what was chosen from an answer', async () => {
  const page = await web.open({path: '/#/chat'});
  const box = page.getByRole('textbox').first();
  await box.fill('I am looking for a gaming notebook up to 1500');
  await box.press('Enter');
  const card = page.getByRole('article').first();
  await card.waitFor();
  const product = await card.getAttribute('data-product');
  await card.getByRole('button', {name: /^Similar products to /}).click();
  assert.equal((await eventually(() => choice(product), (text) => text.includes('chat'))).trim(), 'none|chat|page');
});

/** Of the search that `act` makes the page send: whose it is, and the arm that answered. */
async function asked(page, act) {
  const [answer] = await Promise.all([page.waitForResponse((response) => response.url().endsWith('/pgvector/search')), act()]);
  return {user: answer.request().postDataJSON().user_id, arm: (await answer.json()).metadata.experiment.arm};
}

test('a visitor is one unit on every request, and keeps his arm', async () => {
  const visit = async () => {
    const page = await web.open({path: `/#/search?${new URLSearchParams({q: 'monitor'})}`});
    await page.getByRole('article').first().waitFor();
    return page;
  };
  const page = await visit();
  const first = await asked(page, () => page.reload());
  const another = await asked(page, () => page.getByRole('searchbox').fill('notebook'));
  assert.deepEqual(another, first);
  const other = await visit();
  assert.notEqual((await asked(other, () => other.reload())).user, first.user);
});

test('without an experiment nothing is told', async () => {
  await web.server.sql("UPDATE decant.experiments SET stopped_at = now() WHERE name = 'page'");
  await eventually(hasExperiment, (has) => !has);
  const page = await web.open({path: `/#/search?${new URLSearchParams({q: 'monitor'})}`});
  await page.getByRole('region', {name: 'Results'}).getByRole('button', {name: /^Similar products to /}).first().click();
  await page.locator('.chips ul').waitFor();
  await page.waitForLoadState('networkidle');
  assert.equal(feedbacks(), 0);
});
