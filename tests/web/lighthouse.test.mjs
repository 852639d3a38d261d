// Lighthouse over every view, as a telephone and as a desktop.

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {flags, program} from './support/browser.mjs';
import {chromeLauncher, lighthouse} from './support/packages.mjs';
import {startServer} from './support/server.mjs';

// Speed is only asked for where nothing else runs: DECANT_TEST_SPEED=1 scripts/web-tests tests/web/lighthouse.test.mjs
const least = {performance: process.env.DECANT_TEST_SPEED ? 95 : 0, accessibility: 100, 'best-practices': 100};
// As Lighthouse's own preset of that name.
const desktop = {
  formFactor: 'desktop',
  screenEmulation: {mobile: false, width: 1350, height: 940, deviceScaleFactor: 1, disabled: false},
  throttling: {rttMs: 40, throughputKbps: 10_240, cpuSlowdownMultiplier: 1, requestLatencyMs: 0, downloadThroughputKbps: 0, uploadThroughputKbps: 0},
};
// A busy machine only ever makes a page slower, and sometimes spoils the recording.
const attempts = 3;
let server;
let chrome;
let audit;

before(async () => {
  const {launch} = await chromeLauncher();
  [server, chrome, audit] = await Promise.all([
    startServer(),
    launch({chromePath: program, chromeFlags: ['--headless=new', ...flags], logLevel: 'silent'}),
    lighthouse(),
  ]);
  // The first question waits for the model.
  await fetch(`${server.url}/api/v1/pgvector/search`, {
    method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({query: 'monitor'}),
  });
});
after(async () => {
  chrome?.kill();
  await server?.stop();
});

/** Scores in hundredths, and what cost points. */
async function scores(url, settings) {
  const {lhr} = await audit(url, {port: chrome.port, output: 'json', logLevel: 'silent', onlyCategories: Object.keys(least), ...settings});
  return Object.entries(lhr.categories).map(([name, {score, auditRefs}]) => ({
    name,
    score: Math.round(score * 100),
    lost: auditRefs.map(({id, weight}) => ({...lhr.audits[id], weight}))
      .filter((one) => one.weight > 0 && one.score !== null && one.score < 1)
      .map((one) => `${one.id} ${one.displayValue ?? ''} ${JSON.stringify(one.details?.items?.slice(0, 3) ?? [])}`.slice(0, 600)),
  }));
}

async function assertScores(t, url, settings) {
  let low = [];
  for (let attempt = 0; attempt < attempts; ++attempt) {
    const all = await scores(url, settings);
    t.diagnostic(all.map(({name, score}) => `${name} ${score}`).join(', '));
    low = all.filter(({name, score}) => score < least[name]);
    if (low.length === 0) return;
  }
  assert.fail(low.map(({name, score, lost}) => `${name}: ${score}; ${lost.join('\n')}`).join('\n'));
}

for (const [device, settings] of [['telephone', {}], ['desktop', desktop]]) {
  for (const [view, hash] of [['search', '#/search?q=monitor'], ['chat', '#/chat'], ['catalog', '#/catalog']]) {
    test(`${view} on a ${device}`, (t) => assertScores(t, `${server.url}/${hash}`, settings));
  }
}
